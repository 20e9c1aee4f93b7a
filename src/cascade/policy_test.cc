#include "cascade/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace tinyarms::cascade {
namespace {

class FixedEstimator final : public Estimator {
 public:
  explicit FixedEstimator(double value) : value_(value) {}
  Confidence estimate(Level, const Attempt&) const override {
    return {.value = value_, .calibrated = true, .formula = "fixed"};
  }

 private:
  double value_;
};

Verdict judge(double confidence, const Request& request, Level level) {
  const FixedEstimator estimator(confidence);
  const ThresholdPolicy policy(estimator, {{Level::L2, 0.6}});
  return policy.judge(request, level, Attempt{});
}

TEST(ThresholdPolicy, LevelsOwnThenGlobalThenDefaultThenHalf) {
  Request request;
  EXPECT_EQ(judge(0.5, request, Level::L2).threshold, 0.6);
  EXPECT_EQ(judge(0.5, request, Level::L3).threshold, 0.5);
  request.threshold = 0.8;
  EXPECT_EQ(judge(0.5, request, Level::L2).threshold, 0.8);
  request.level_thresholds[Level::L2] = 0.1;
  EXPECT_EQ(judge(0.5, request, Level::L2).threshold, 0.1);
  EXPECT_EQ(judge(0.5, request, Level::L3).threshold, 0.8);
}

TEST(ThresholdPolicy, ReachingIsEnough) {
  Request request;
  EXPECT_TRUE(judge(0.6, request, Level::L2).accept);
  EXPECT_FALSE(judge(std::nextafter(0.6, 0.0), request, Level::L2).accept);
  request.threshold = 0;
  EXPECT_TRUE(judge(0, request, Level::L2).accept);
}

TEST(ThresholdPolicy, NothingReachesWhatIsNotANumber) {
  Request request;
  request.threshold = std::nan("");
  EXPECT_FALSE(judge(1, request, Level::L2).accept);
  request.threshold = 0;
  EXPECT_FALSE(judge(std::nan(""), request, Level::L2).accept);
}

TEST(ThresholdPolicy, TheReasonHoldsTheNumbers) {
  const Verdict verdict = judge(0.25, Request{}, Level::L2);
  EXPECT_EQ(verdict.reason,
            "confidence 0.250 is below threshold 0.600 (calibrated; fixed)");
  EXPECT_EQ(verdict.confidence.value, 0.25);
  EXPECT_TRUE(verdict.confidence.calibrated);
}

}  // namespace
}  // namespace tinyarms::cascade
