// Test support: a clock that tests crank by hand.
#pragma once

#include "base/clock.h"

namespace tinyarms {

class HandClock final : public Clock {
 public:
  explicit HandClock(double at = 0) : now(at) {}
  double monotonic_seconds() const override { return now; }
  double wall_seconds() const override { return now; }
  double now;  // seconds
};

}  // namespace tinyarms
