#include "door/door.h"

#include <fmt/format.h>

#include <algorithm>

namespace tinyarms::door {
namespace {

// A name the client may give its request; it goes into logs and headers as it is.
bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c == '.';
  });
}

bool matches(const Route& route, std::string_view path) {
  if (!route.path.ends_with("/*")) return route.path == path;
  const std::string_view stem = std::string_view(route.path).substr(0, route.path.size() - 1);
  return path.starts_with(stem) && path.size() > stem.size();
}

// The key where OpenAI's clients put it, or Anthropic's.
std::string_view key_of(const http::Request& request) {
  if (auto key = request.header("x-api-key")) return *key;
  const std::string_view text = request.header("authorization").value_or("");
  constexpr std::string_view kScheme = "bearer ";
  if (text.size() < kScheme.size()) return "";
  for (size_t i = 0; i < kScheme.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != kScheme[i]) return "";
  }
  return text.substr(kScheme.size());
}

}  // namespace

Door::Door(GuardOptions guard, std::shared_ptr<const KeyRing> keys, const Clock& clock)
    : guard_(std::move(guard)), keys_(std::move(keys)), clock_(clock) {
  next_id_ = static_cast<uint64_t>(clock.wall_seconds() * 1e6);
}

void Door::add(Route route) { routes_.push_back(std::move(route)); }

void Door::replace_keys(std::shared_ptr<const KeyRing> keys) {
  const std::lock_guard lock(mutex_);
  keys_ = std::move(keys);
}

// Unique on this machine and never telling more than the time it was made at.
std::string Door::new_id() {
  uint64_t value = next_id_.fetch_add(1, std::memory_order_relaxed) * 0x9e3779b97f4a7c15u;
  value ^= value >> 29;
  return fmt::format("req_{:016x}", value);
}

std::optional<http::Response> Door::admit(http::Request& request) {
  auto admission = std::make_shared<Admission>();
  const auto wished = request.header("x-request-id");
  admission->id = wished && is_request_id(*wished) ? std::string(*wished) : new_id();
  auto refusal = check(request, *admission);
  admission->headers = {{"x-request-id", admission->id},
                        {"X-Content-Type-Options", "nosniff"},
                        {"Cache-Control", "no-store"}};
  if (!refusal || refusal->status != 403) {
    GuardOptions guard = guard_;
    guard.port = port_;
    for (auto& header : cors_headers(request, guard)) admission->headers.push_back(header);
  }
  http::Response response;
  if (refusal) {
    response = refusal->status == 204 ? preflight(request) : error_response(request.path, *refusal);
  } else {
    counts_.admitted.fetch_add(1, std::memory_order_relaxed);
    request.caller = std::move(admission);
    return std::nullopt;
  }
  if (!admission->allow.empty()) response.headers.push_back({"Allow", admission->allow});
  const auto& more = admission->headers;
  response.headers.insert(response.headers.end(), more.begin(), more.end());
  return response;
}

// What stands against the request; 204 where it is a preflight that may be answered.
std::optional<openai::ApiError> Door::check(http::Request& request, Admission& admission) {
  GuardOptions guard = guard_;
  guard.port = port_;
  if (auto refusal = check_request(request, guard)) {
    counts_.by_guard.fetch_add(1, std::memory_order_relaxed);
    return openai::of_status(refusal->status, refusal->why);
  }
  if (request.method == "OPTIONS" && !cors_headers(request, guard).empty()) {
    return openai::of_status(204, "");
  }
  if (auto missing = find_route(request, admission)) {
    counts_.unknown.fetch_add(1, std::memory_order_relaxed);
    return missing;
  }
  return check_key(request, admission);
}

http::Response Door::preflight(const http::Request&) {
  return {204, "", "",
          {{"Access-Control-Allow-Methods", "GET, POST, DELETE"},
           {"Access-Control-Allow-Headers",
            "authorization, content-type, x-api-key, x-request-id, anthropic-version, "
            "anthropic-beta, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name, "
            "x-tinyarms-tier, x-tinyarms-max-tier, "
            "x-tinyarms-confidence-threshold, x-tinyarms-cache, x-tinyarms-trace"},
           {"Access-Control-Max-Age", "600"}}};
}

std::optional<openai::ApiError> Door::find_route(const http::Request& request,
                                                 Admission& admission) {
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  std::string allowed;
  for (size_t i = 0; i < routes_.size(); ++i) {
    if (!matches(routes_[i], request.path)) continue;
    if (routes_[i].method == method) {
      admission.route = i;
      return std::nullopt;
    }
    allowed += (allowed.empty() ? "" : ", ") + routes_[i].method;
  }
  if (allowed.empty()) return openai::not_found(request.method, request.path);
  admission.allow = allowed;
  return openai::of_status(405, fmt::format("{} takes {}", request.path, allowed));
}

std::optional<openai::ApiError> Door::check_key(const http::Request& request,
                                                Admission& admission) {
  std::shared_ptr<const KeyRing> keys;
  {
    const std::lock_guard lock(mutex_);
    keys = keys_;
  }
  const Scope scope = routes_[admission.route].scope;
  if (scope == Scope::Own) {
    if (request.own_user) return std::nullopt;
    counts_.by_key.fetch_add(1, std::memory_order_relaxed);
    return openai::not_found(request.method, request.path);
  }
  if (scope == Scope::Open || keys->empty()) return std::nullopt;
  const ApiKey* key = keys->find(key_of(request));
  if (key == nullptr) {
    counts_.by_key.fetch_add(1, std::memory_order_relaxed);
    return openai::wrong_key("Incorrect API key provided: tinyarms keys list shows the names of "
                             "those that are valid");
  }
  admission.caller = {.name = key->name,
                      .owner = key->owner.empty() ? key->name : key->owner,
                      .scopes = key->scopes};
  if (key->scopes.empty() ? scope == Scope::Admin : !admission.caller.may(scope)) {
    counts_.by_key.fetch_add(1, std::memory_order_relaxed);
    return openai::of_status(403, fmt::format("the key \"{}\" lacks the scope \"{}\"", key->name,
                                              scope_name(scope)));
  }
  if (auto seconds = limiter_.take(*key, clock_.monotonic_seconds())) {
    counts_.by_limit.fetch_add(1, std::memory_order_relaxed);
    return openai::busy(fmt::format("the key \"{}\" may make {} requests a minute", key->name,
                                    key->requests_per_minute), *seconds);
  }
  return std::nullopt;
}

void Door::handle(const std::shared_ptr<http::Exchange>& exchange) {
  const auto* admission = static_cast<const Admission*>(exchange->request().caller.get());
  routes_[admission->route].handle(Call(exchange));
}

http::Response Door::refuse(int status, std::string_view why) {
  return error_response("", openai::of_status(status, std::string(why)));
}

}  // namespace tinyarms::door
