#define CURL_DISABLE_TYPECHECK
#include "remote/web_rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "remote/curl_library.h"
#include "remote/endpoint.h"

namespace tinyarms::remote {
namespace {

Error not_allowed(std::string what, std::string where, std::string hint) {
  return Error{ErrorCode::Config, std::move(what), std::move(where), std::move(hint)};
}

class ParsedUrl {
 public:
  explicit ParsedUrl(const CurlLibrary& library)
      : library_(library), handle_(library.url(), library.url_cleanup) {}

  bool read(const std::string& text) {
    return handle_ != nullptr &&
           library_.url_set(handle_.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }
  std::string part(CURLUPart which, unsigned flags = 0) const {
    char* text = nullptr;
    if (library_.url_get(handle_.get(), which, &text, flags) != CURLUE_OK) return "";
    std::string copy(text);
    library_.free(text);
    return copy;
  }

 private:
  const CurlLibrary& library_;
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> handle_;
};

struct RuleMatch {
  bool allowed = false;
  bool by_name = false;
};

RuleMatch match_rule(const std::string& rule, const WebAddress& address, const std::string& port) {
  std::string host = rule;
  std::string wanted_port = address.this_machine ? port : "443";
  const size_t colon = host.rfind(':');
  if (colon != std::string::npos && host.find(']', colon) == std::string::npos) {
    wanted_port = host.substr(colon + 1);
    host.resize(colon);
  }
  std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : static_cast<char>(c);
  });
  if (port != wanted_port) return {};
  if (host == address.host) return {true, true};
  const bool pattern = host.starts_with("*.") && host.size() > 2 && !address.this_machine;
  return {pattern && address.host.size() > host.size() - 1 &&
              std::string_view(address.host).ends_with(std::string_view(host).substr(1)),
          false};
}

bool is_number_address(const std::string& host) {
  return host.find_first_not_of("0123456789.") == std::string::npos || host.starts_with('[');
}

enum class Reach { Public, Local, ThisMachine, Never };

Reach reach_of(uint32_t address) {
  const auto in = [&](uint32_t network, int bits) {
    return (address >> (32 - bits)) == (network >> (32 - bits));
  };
  if (in(0x7f000000, 8)) return Reach::ThisMachine;
  if (in(0x0a000000, 8) || in(0xac100000, 12) || in(0xc0a80000, 16) || in(0x64400000, 10)) {
    return Reach::Local;
  }
  // This network, link-local (where clouds keep their secrets), tests, multicast and what is above.
  if (in(0, 8) || in(0xa9fe0000, 16) || in(0xc6120000, 15) || address >= 0xe0000000) {
    return Reach::Never;
  }
  return Reach::Public;
}

Reach reach_of(const in6_addr& address) {
  const uint8_t* bytes = address.s6_addr;
  if (IN6_IS_ADDR_LOOPBACK(&address)) return Reach::ThisMachine;
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    uint32_t inner = 0;
    std::memcpy(&inner, bytes + 12, sizeof inner);
    return reach_of(ntohl(inner));
  }
  if ((bytes[0] & 0xfe) == 0xfc) return Reach::Local;
  return (bytes[0] & 0xe0) == 0x20 ? Reach::Public : Reach::Never;  // 2000::/3 is what is given out
}

Reach reach_of(const sockaddr* peer) {
  if (peer->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, peer, sizeof v4);
    return reach_of(ntohl(v4.sin_addr.s_addr));
  }
  if (peer->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, peer, sizeof v6);
    return reach_of(v6.sin6_addr);
  }
  return Reach::Never;
}

}  // namespace

Result<WebAddress> check_web_address(const std::string& url, const WebRules& rules) {
  auto library = curl_library();
  if (!library) return library.error();
  ParsedUrl parsed(**library);
  if (url.find("://") == std::string::npos || !parsed.read(url)) {
    return not_allowed("this is not a web address", url.substr(0, 200),
                       "write it like https://huggingface.co/…");
  }
  const std::string scheme = parsed.part(CURLUPART_SCHEME);
  const std::string port = parsed.part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
  WebAddress address;
  address.host = parsed.part(CURLUPART_HOST);
  std::transform(address.host.begin(), address.host.end(), address.host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!parsed.part(CURLUPART_USER).empty() || !parsed.part(CURLUPART_PASSWORD).empty()) {
    return not_allowed("the address holds a user name or password", address.host, "take it out");
  }
  address.url = url;
  address.origin = fmt::format("{}://{}:{}", scheme, address.host, port);
  address.this_machine = names_this_machine(address.host);
  if (scheme != "https" && !(scheme == "http" && address.this_machine)) {
    return not_allowed(fmt::format("files are not fetched by {}", scheme),
                       fmt::format("{}://{}", scheme, address.host), "use https");
  }
  for (const std::string& rule : rules.hosts) {
    const RuleMatch found = match_rule(rule, address, port);
    if (!found.allowed) continue;
    address.by_name = found.by_name;
    return address;
  }
  return not_allowed("files may not come from this host", fmt::format("{}:{}", address.host, port),
                     is_number_address(address.host) && !address.this_machine
                         ? "name a host of the setting pull.hosts"
                         : "add it to the setting pull.hosts, if you trust it");
}

bool may_connect(const WebAddress& address, const sockaddr* peer) {
  switch (reach_of(peer)) {
    case Reach::Public: return !address.this_machine;
    case Reach::Local: return address.by_name && !address.this_machine;
    case Reach::ThisMachine: return address.this_machine;
    case Reach::Never: return false;
  }
  return false;
}

std::string escape_path(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
    if (plain) {
      escaped += c;
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

}  // namespace tinyarms::remote
