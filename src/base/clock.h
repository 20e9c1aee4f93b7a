// The clock is a constructor argument: tests crank it by hand, the program reads the system's.
#pragma once

#include <chrono>

namespace tinyarms {

class Clock {
 public:
  virtual ~Clock() = default;
  // Seconds since an arbitrary fixed point; never goes back.
  virtual double monotonic_seconds() const = 0;
  // Seconds since 1970-01-01 UTC, for records that outlive the process.
  virtual double wall_seconds() const = 0;
};

class SystemClock final : public Clock {
 public:
  double monotonic_seconds() const override {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  double wall_seconds() const override {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace tinyarms
