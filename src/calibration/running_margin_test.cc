#include "calibration/running_margin.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "calibration/margin_trace.h"
#include "calibration/random.h"

namespace tinyarms::calibration {
namespace {

using Kind = MarginTest::Kind;

TEST(RunningMarginTest, AWindowSeesTheLastTokensOnly) {
  const MarginTest test{Kind::Window, 2, 100};
  RunningMargin running(test);
  EXPECT_FALSE(running.add(0));  // a doubt of 63, and no window yet
  EXPECT_FALSE(running.sum());
  EXPECT_FALSE(running.add(1));  // 63 + 0
  EXPECT_EQ(running.sum(), 63);
  EXPECT_FALSE(running.add(0));  // 0 + 63
  EXPECT_TRUE(running.add(0));   // 63 + 63
  EXPECT_EQ(running.sum(), 126);
}

TEST(RunningMarginTest, CusumGrowsWithDoubtAndForgetsInSureStretches) {
  RunningMargin running({Kind::Cusum, 30, 60});
  EXPECT_FALSE(running.add(0));  // 33
  EXPECT_FALSE(running.add(1));  // 3
  EXPECT_FALSE(running.add(1));  // never below 0
  EXPECT_EQ(running.sum(), 0);
  EXPECT_FALSE(running.add(0));  // 33
  EXPECT_TRUE(running.add(0));   // 66
}

TEST(RunningMarginTest, TheLastTokenEndsTheAnswerByItself) {
  const MarginTest test{Kind::Cusum, 0, 1};  // stops at the first doubt
  const std::vector<uint8_t> sure_till_the_end = {63, 63, 0};
  EXPECT_FALSE(stops_after(test, sure_till_the_end));
  EXPECT_EQ(peak_of(test, sure_till_the_end), 0);
  EXPECT_EQ(stops_after(test, std::vector<uint8_t>{63, 0, 0}), 2u);
  EXPECT_FALSE(stops_after(test, std::vector<uint8_t>{0}));
  EXPECT_EQ(peak_of(test, std::vector<uint8_t>{}), -1);
}

// What decoding sees are margins as floats; what a replay sees is their trace.
TEST(RunningMarginTest, ReplayAgreesWithDecoding) {
  constexpr uint64_t kSeed = 11;
  Random random(kSeed);
  for (int round = 0; round < 2000; ++round) {
    const bool window = random.below(2) == 0;
    const int parameter = static_cast<int>(window ? 1 + random.below(kWindowMax)
                                                  : random.below(kDoubtMax));
    const MarginTest test{window ? Kind::Window : Kind::Cusum, parameter,
                          static_cast<int>(1 + random.below(1500))};
    std::vector<float> margins;
    const size_t tokens = 1 + random.below(120);
    for (size_t i = 0; i < tokens; ++i) {
      // Half of them on the edge between two steps, where rounding could differ.
      const double edge = (static_cast<double>(random.below(63)) + 0.5) / 63;
      margins.push_back(static_cast<float>(random.below(2) == 0 ? edge : random.uniform()));
    }
    RunningMargin running(test);
    std::optional<size_t> live;
    std::string trace;
    for (size_t i = 0; i < tokens; ++i) {
      append_margin(margins[i], trace);
      if (i + 1 < tokens && !live && running.add(margins[i])) live = i + 1;
    }
    const std::vector<uint8_t> steps = *read_margin_steps(trace);
    ASSERT_EQ(stops_after(test, steps), live) << "seed " << kSeed << " round " << round;
    ASSERT_EQ(peak_of(test, steps) >= test.boundary, live.has_value()) << round;
  }
}

TEST(RunningMarginTest, SaysWhatItWaitsFor) {
  EXPECT_EQ(margin_test_text({Kind::Window, 4, 126}),
            "a mean margin of 0.50 or less over 4 tokens");
  EXPECT_EQ(margin_test_text({Kind::Cusum, 21, 126}),
            "margins that fall short of 0.67 by 2.00 in sum");
}

}  // namespace
}  // namespace tinyarms::calibration
