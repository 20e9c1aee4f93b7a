#include "door/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/ascii.h"

namespace tinyarms::door {
namespace {

std::optional<uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  if (value == 0 || value > 65535) return std::nullopt;
  return static_cast<uint16_t>(value);
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_ip_literal(std::string_view host) {
  if (host.starts_with('[')) return true;
  return std::all_of(host.begin(), host.end(),
                     [](char c) { return (c >= '0' && c <= '9') || c == '.'; }) &&
         std::count(host.begin(), host.end(), '.') == 3;
}

bool is_own_host(const HostPort& host, const GuardOptions& options) {
  const bool port_fits = !host.port || *host.port == options.port;
  if (port_fits) {
    if (host.host == options.address || host.host == fmt::format("[{}]", options.address)) {
      return true;
    }
    const bool local = host.host == "127.0.0.1" || host.host == "localhost" ||
                       host.host == "[::1]";
    if (local) return true;
    // Bound to more than this machine, a key is asked for, and addresses cannot be rebound.
    if (!options.loopback && is_ip_literal(host.host)) return true;
  }
  for (const std::string& allowed : options.hosts) {
    const auto one = parse_host(allowed);
    if (one && one->host == host.host && (!one->port || one->port == host.port)) return true;
  }
  return false;
}

// Pages that this server itself served.
bool is_own_origin(std::string_view origin, const GuardOptions& options) {
  const std::string_view scheme = options.encrypted ? "https://" : "http://";
  if (!origin.starts_with(scheme)) return false;
  const auto host = parse_host(origin.substr(scheme.size()));
  if (!host) return false;
  const uint16_t implied = options.encrypted ? 443 : 80;
  GuardOptions exact = options;
  exact.hosts.clear();
  if (host->port.value_or(implied) == options.port && is_own_host(*host, exact)) return true;
  for (const std::string& allowed : options.hosts) {
    const auto one = parse_host(allowed);
    if (one && one->host == host->host && one->port == host->port) return true;
  }
  return false;
}

bool is_allowed_origin(std::string_view origin, const GuardOptions& options) {
  return std::find(options.origins.begin(), options.origins.end(), origin) !=
         options.origins.end();
}

bool is_json_type(std::string_view type) {
  const size_t end = type.find(';');
  std::string bare = lowered(type.substr(0, end));
  while (!bare.empty() && bare.back() == ' ') bare.pop_back();
  if (bare != "application/json") return false;
  if (end == std::string_view::npos) return true;
  const std::string rest = lowered(type.substr(end));
  const size_t charset = rest.find("charset=");
  if (charset == std::string::npos) return true;
  const std::string_view name = std::string_view(rest).substr(charset + 8);
  return name.starts_with("utf-8") || name.starts_with("\"utf-8\"") || name.starts_with("utf8");
}

std::optional<Refusal> check_origin(const http::Request& request, const GuardOptions& options) {
  if (request.count("origin") > 1) return Refusal{400, "more than one Origin"};
  if (auto origin = request.header("origin")) {
    if (!is_own_origin(*origin, options) && !is_allowed_origin(*origin, options)) {
      return Refusal{403, "this Origin may not use this server (serve --allow-origin adds one)"};
    }
    return std::nullopt;
  }
  // A picture or a script of another site brings no Origin, but browsers say where it comes from.
  if (request.header("sec-fetch-site") == "cross-site" &&
      request.header("sec-fetch-mode") != "navigate") {
    return Refusal{403, "pages of other sites may not use this server"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<HostPort> parse_host(std::string_view text) {
  HostPort parsed;
  std::string_view rest;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos || end < 3) return std::nullopt;
    parsed.host = lowered(text.substr(0, end + 1));
    const std::string_view inner = std::string_view(parsed.host).substr(1, end - 1);
    if (inner.find_first_not_of("0123456789abcdef:.") != std::string_view::npos) {
      return std::nullopt;
    }
    rest = text.substr(end + 1);
  } else {
    const size_t colon = text.find(':');
    parsed.host = lowered(text.substr(0, colon));
    if (parsed.host.empty() || !std::all_of(parsed.host.begin(), parsed.host.end(), is_host_char)) {
      return std::nullopt;
    }
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
  }
  if (rest.empty()) return parsed;
  if (!rest.starts_with(':')) return std::nullopt;
  parsed.port = parse_port(rest.substr(1));
  if (!parsed.port) return std::nullopt;
  return parsed;
}

std::optional<Refusal> check_request(const http::Request& request, const GuardOptions& options) {
  const auto host_text = request.header("host");
  if (!host_text || host_text->empty()) return Refusal{400, "a Host header is required"};
  const auto host = parse_host(*host_text);
  if (!host) return Refusal{400, "the Host header names no host"};
  if (!request.local_socket && !is_own_host(*host, options)) {
    return Refusal{403, "this Host is not served here (serve --allow-host adds one)"};
  }
  if (auto refusal = check_origin(request, options)) return refusal;
  if (request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    if (request.count("content-type") > 1) return Refusal{400, "more than one Content-Type"};
    const auto type = request.header("content-type");
    if (!type || !is_json_type(*type)) {
      return Refusal{415, "the body must be JSON: send Content-Type: application/json"};
    }
  }
  return std::nullopt;
}

std::vector<http::Header> cors_headers(const http::Request& request, const GuardOptions& options) {
  const auto origin = request.header("origin");
  if (!origin || !is_allowed_origin(*origin, options)) return {};
  return {{"Access-Control-Allow-Origin", std::string(*origin)},
          {"Vary", "Origin"},
          {"Access-Control-Expose-Headers",
           "x-request-id, x-tinyarms-tier, x-tinyarms-confidence, x-tinyarms-calibrated, "
           "x-tinyarms-cost, x-tinyarms-trace-id"}};
}

}  // namespace tinyarms::door
