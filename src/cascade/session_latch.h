// Keeps a conversation with one model. Without it, a talk that needed the larger model for one turn
// falls back to the small one at the next and up again: every change costs a model swap, and the
// voices differ. One conversation; not thread-safe.
#pragma once

#include <optional>

#include "cascade/cascade.h"

namespace tinyarms::cascade {

class SessionLatch {
 public:
  // `calm_turns`: after so many turns in a row in which the model held was sure, the next lower
  // one is tried again.
  explicit SessionLatch(int calm_turns = 3) : calm_turns_(calm_turns) {}

  // What Request::level_min should be for the next turn.
  std::optional<Level> floor() const { return floor_; }

  // After every turn. Answers of rules and caches change nothing, nor does an interrupted turn.
  void observe(const Reply& reply);

  void reset() { *this = SessionLatch(calm_turns_); }

 private:
  int calm_turns_;
  int calm_ = 0;
  std::optional<Level> floor_;
};

}  // namespace tinyarms::cascade
