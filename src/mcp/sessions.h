// Sessions of clients that began with `initialize` over HTTP: only what makes a request's id
// theirs, so that they can cancel it. Bounded: of whoever has most, the quietest one goes.
// Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tinyarms::mcp {

class Sessions {
 public:
  explicit Sessions(const Clock& clock, size_t sessions_max = 1024)
      : clock_(clock), sessions_max_(sessions_max) {}

  // A new one of that owner: its id, which nobody can guess.
  std::string open(const std::string& owner);
  // Whether there is one with that id and of that owner; it counts as used now.
  bool use(std::string_view id, const std::string& owner);
  bool close(std::string_view id, const std::string& owner);

 private:
  struct Session {
    std::string owner{};
    double used_at = 0;
  };
  void make_room();

  const Clock& clock_;
  size_t sessions_max_;
  std::mutex mutex_;
  std::map<std::string, Session, std::less<>> sessions_;
};

}  // namespace tinyarms::mcp
