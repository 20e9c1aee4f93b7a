// The front door: every request passes the guard against web pages, then the keys, then the table
// of routes. A new route is one `add`.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "door/call.h"
#include "door/guard.h"
#include "door/keys.h"
#include "http/server.h"

namespace tinyarms::door {

struct Route {
  std::string method;
  std::string path;  // "/v1/models", or "/v1/models/*" for whatever follows
  Scope scope = Scope::Open;
  std::function<void(const Call&)> handle;  // must not block
};

class Door final : public http::Application {
 public:
  // `clock` outlives it.
  Door(GuardOptions guard, std::shared_ptr<const KeyRing> keys, const Clock& clock);

  // Before the server starts.
  void add(Route route);
  void set_port(uint16_t port) { port_ = port; }
  // Any thread: what comes from now on is admitted by these keys.
  void replace_keys(std::shared_ptr<const KeyRing> keys);

  std::optional<http::Response> admit(http::Request& request) override;
  void handle(const std::shared_ptr<http::Exchange>& exchange) override;
  http::Response refuse(int status, std::string_view why) override;

  const std::vector<Route>& routes() const { return routes_; }

  struct Counts {
    std::atomic<uint64_t> admitted{0};
    std::atomic<uint64_t> by_guard{0};  // refused
    std::atomic<uint64_t> by_key{0};
    std::atomic<uint64_t> by_limit{0};
    std::atomic<uint64_t> unknown{0};   // no such route
  };
  const Counts& counts() const { return counts_; }

 private:
  std::optional<openai::ApiError> check(http::Request& request, Admission& admission);
  std::optional<openai::ApiError> find_route(const http::Request& request, Admission& admission);
  std::optional<openai::ApiError> check_key(const http::Request& request, Admission& admission);
  http::Response preflight(const http::Request& request);
  std::string new_id();

  GuardOptions guard_;
  std::atomic<uint16_t> port_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<const KeyRing> keys_;
  KeyLimiter limiter_;
  const Clock& clock_;
  std::vector<Route> routes_;
  Counts counts_;
  std::atomic<uint64_t> next_id_;
};

}  // namespace tinyarms::door
