#include "calibration/running_margin.h"

#include <fmt/format.h>

#include <algorithm>

#include "calibration/margin_trace.h"

namespace tinyarms::calibration {

std::string margin_test_name(const MarginTest& test) {
  return fmt::format("{} {}", test.kind == MarginTest::Kind::Window ? "window" : "cusum",
                     test.parameter);
}

std::string margin_test_text(const MarginTest& test) {
  constexpr double kSteps = kDoubtMax;
  if (test.kind == MarginTest::Kind::Window) {
    return fmt::format("a mean margin of {:.2f} or less over {} tokens",
                       1 - test.boundary / (kSteps * test.parameter), test.parameter);
  }
  return fmt::format("margins that fall short of {:.2f} by {:.2f} in sum",
                     1 - test.parameter / kSteps, test.boundary / kSteps);
}

bool RunningMargin::add(double margin) { return add_step(margin_step(margin)); }

bool RunningMargin::add_step(int step) {
  const int doubt = kDoubtMax - std::clamp(step, 0, kDoubtMax);
  if (test_.kind == MarginTest::Kind::Window) {
    uint8_t& place = window_[tokens_ % static_cast<size_t>(test_.parameter)];
    sum_ += doubt - place;
    place = static_cast<uint8_t>(doubt);
  } else {
    sum_ = std::max(0, sum_ + doubt - test_.parameter);
  }
  ++tokens_;
  return sum().value_or(-1) >= test_.boundary;
}

std::optional<int> RunningMargin::sum() const {
  const bool window = test_.kind == MarginTest::Kind::Window;
  const size_t needed = window ? static_cast<size_t>(test_.parameter) : 1;
  return tokens_ < needed ? std::nullopt : std::optional(sum_);
}

std::optional<size_t> stops_after(const MarginTest& test, std::span<const uint8_t> steps) {
  RunningMargin running(test);
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    if (running.add_step(steps[i])) return i + 1;
  }
  return std::nullopt;
}

int peak_of(const MarginTest& test, std::span<const uint8_t> steps) {
  RunningMargin running(test);
  int peak = -1;
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    running.add_step(steps[i]);
    peak = std::max(peak, running.sum().value_or(-1));
  }
  return peak;
}

}  // namespace tinyarms::calibration
