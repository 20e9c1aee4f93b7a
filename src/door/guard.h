// Keeps web pages out. A browser tab on a hostile site can send requests to this machine, and by
// DNS rebinding even under a name of its own: so the Host must be one of ours, an Origin must be
// allowed, and a body must be JSON by its type, which no page may send elsewhere unasked.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace tinyarms::door {

struct GuardOptions {
  std::string address = "127.0.0.1";  // what the server is bound to
  uint16_t port = 0;
  bool loopback = true;
  bool encrypted = false;
  std::vector<std::string> hosts{};    // further names: "name" for any port, or "name:port"
  std::vector<std::string> origins{};  // that may read replies: "https://app.example"
};

struct Refusal {
  int status = 403;
  std::string why;
};

// Nothing where the request may pass. Paths do not matter: no route is exempt.
std::optional<Refusal> check_request(const http::Request& request, const GuardOptions& options);

// "name:port" taken apart; nothing where it is no host (userinfo, blanks, a bad port).
struct HostPort {
  std::string host;  // lower case; IPv6 with its brackets
  std::optional<uint16_t> port;
};
std::optional<HostPort> parse_host(std::string_view text);

// What a reply to an allowed foreign Origin must say; empty for everybody else.
std::vector<http::Header> cors_headers(const http::Request& request, const GuardOptions& options);

}  // namespace tinyarms::door
