// Which web addresses files may be fetched from. Every address is held against the rules before a
// byte goes there, each hop of a redirect included, and then the machine it turned out to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct sockaddr;

namespace tinyarms::remote {

struct WebRules {
  // "huggingface.co", "*.hf.co" (any below it, not itself), "models.example.com:8443",
  // "127.0.0.1:8080". Without a port: the usual one of https; of this machine, any.
  std::vector<std::string> hosts;
};

struct WebAddress {
  std::string url;
  std::string origin;  // "https://huggingface.co:443": what a token belongs to
  std::string host;
  bool this_machine = false;
  bool by_name = false;  // the rules name this very host, not a pattern
};

// https to a host of the rules, or http to this machine where the rules name it. Errors: Config
// (another scheme, a user name or password in it, a host that is not allowed; with the setting
// that would allow it).
Result<WebAddress> check_web_address(const std::string& url, const WebRules& rules);

// Whether that is where `address` may be: this machine only where it was named so, the local
// network only by name, nothing that is no host at all.
bool may_connect(const WebAddress& address, const sockaddr* peer);

// `text` as one segment or several ("a/b c.gguf") of an address's path.
std::string escape_path(std::string_view text);

}  // namespace tinyarms::remote
