#include "calibration/margin_trace.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tinyarms::calibration {
namespace {

TEST(MarginTraceTest, EveryStepComesBack) {
  std::string trace;
  for (int step = 0; step <= 63; ++step) append_margin(step / 63.0, trace);
  EXPECT_EQ(trace, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
  const auto steps = read_margin_steps(trace);
  ASSERT_TRUE(steps);
  ASSERT_EQ(steps->size(), 64U);
  for (size_t step = 0; step <= 63; ++step) EXPECT_EQ((*steps)[step], step);
}

TEST(MarginTraceTest, IsOffByHalfAStepAtMost) {
  for (double margin = 0; margin <= 1; margin += 0.0037) {
    EXPECT_LE(std::abs(margin_step(margin) / 63.0 - margin), 1.0 / 126 + 1e-12) << margin;
  }
}

TEST(MarginTraceTest, WhatIsNoMarginIsClamped) {
  EXPECT_EQ(margin_step(-0.5), 0);
  EXPECT_EQ(margin_step(7), 63);
  EXPECT_EQ(margin_step(std::nan("")), 0);
}

TEST(MarginTraceTest, ForeignTextIsRefused) {
  EXPECT_FALSE(read_margin_steps("AB C"));
  EXPECT_FALSE(read_margin_steps("AB\xC3\xA4"));
  EXPECT_TRUE(read_margin_steps("")->empty());
}

}  // namespace
}  // namespace tinyarms::calibration
