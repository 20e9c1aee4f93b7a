#include "calibration/off_policy.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "calibration/random.h"

namespace tinyarms::calibration {
namespace {

// Two tiers. The log keeps where P ≥ 0.5, turned by chance with ε; the other policy keeps where
// P ≥ 0.7. The small tier is right with chance P, the large one with 0.9.
struct World {
  std::vector<WeighedDecision> decisions{};
  double truth = 0;  // what the other policy is worth on these questions, in expectation
};

World make_world(uint64_t seed, double epsilon, size_t count) {
  Random random(seed);
  World world;
  for (size_t i = 0; i < count; ++i) {
    const double p = random.uniform();
    const bool planned_keep = p >= 0.5;
    const bool turned = random.uniform() < epsilon;
    const bool keep = planned_keep != turned;
    const double propensity = turned ? epsilon : 1 - epsilon;
    const bool other_keeps = p >= 0.7;
    const bool right = random.uniform() < (keep ? p : 0.9);
    world.truth += (other_keeps ? p : 0.9) / static_cast<double>(count);
    const bool agrees = keep == other_keeps;
    world.decisions.push_back({.weight = agrees ? 1 / propensity : 0,
                               .supported = agrees || propensity < 1,
                               .right = right ? 1.0 : 0.0,
                               .cost = keep ? 1.0 : 3.0});
  }
  return world;
}

TEST(OffPolicy, FindsTheOtherPolicysWorthWhereChanceHadASay) {
  int covered = 0;
  constexpr int kRounds = 30;
  for (int round = 0; round < kRounds; ++round) {
    const World world = make_world(100 + static_cast<uint64_t>(round), 0.1, 1000);
    const auto estimate = estimate_off_policy(world.decisions, {}, {.resamples = 100});
    ASSERT_TRUE(estimate.accuracy) << estimate.why_not;
    EXPECT_NEAR(*estimate.accuracy, world.truth, 0.2);
    covered += estimate.accuracy_interval.low <= world.truth &&
                       world.truth <= estimate.accuracy_interval.high
                   ? 1
                   : 0;
  }
  EXPECT_GE(covered, 24);  // 28.5 expected of exact intervals
}

TEST(OffPolicy, WithoutChanceItCannotSay) {
  const World world = make_world(7, 0, 2000);
  const auto estimate = estimate_off_policy(world.decisions, {}, {});
  EXPECT_FALSE(estimate.accuracy);
  EXPECT_NEAR(estimate.unsupported_share, 0.2, 0.04);
  EXPECT_NE(estimate.why_not.find("never tried"), std::string::npos);
}

TEST(OffPolicy, FewOutcomesAreSaidToBeFew) {
  World world = make_world(8, 0.1, 2000);
  for (size_t i = 10; i < world.decisions.size(); ++i) world.decisions[i].right.reset();
  const auto estimate = estimate_off_policy(world.decisions, {}, {});
  EXPECT_FALSE(estimate.accuracy);
  EXPECT_NE(estimate.why_not.find("worth"), std::string::npos);
  EXPECT_FALSE(estimate_off_policy({}, {}, {}).accuracy);
}

TEST(OffPolicy, NeitherOrderNorScaleOfTheWeightsMatters) {
  World world = make_world(9, 0.2, 500);
  const auto before = estimate_off_policy(world.decisions, {}, {.resamples = 10});
  Random random(9);
  random.shuffle(world.decisions);
  for (WeighedDecision& one : world.decisions) one.weight *= 7;
  const auto after = estimate_off_policy(world.decisions, {}, {.resamples = 10});
  EXPECT_NEAR(*before.accuracy, *after.accuracy, 1e-12);
  EXPECT_NEAR(before.effective, after.effective, 1e-9);
  EXPECT_NEAR(*before.cost, *after.cost, 1e-12);
}

TEST(OffPolicy, EqualWeightsAreThePlainMean) {
  std::vector<WeighedDecision> decisions(100);
  for (size_t i = 0; i < decisions.size(); ++i) decisions[i].right = i < 37 ? 1 : 0;
  const auto estimate = estimate_off_policy(decisions, {}, {});
  EXPECT_NEAR(*estimate.accuracy, 0.37, 1e-12);
  EXPECT_NEAR(estimate.effective, 100, 1e-9);
}

TEST(Fates, AreCounted) {
  Fates fates;
  fates.count(false, true);
  fates.count(true, false);
  fates.count(true, true);
  fates.count(false, false);
  fates.count(std::nullopt, true);
  fates.count(true, std::nullopt);
  EXPECT_EQ(fates.rescue, 1u);
  EXPECT_EQ(fates.loss, 1u);
  EXPECT_EQ(fates.safe, 1u);
  EXPECT_EQ(fates.hard, 1u);
  EXPECT_EQ(fates.unknown, 2u);
  EXPECT_EQ(fates.known(), 4u);
}

}  // namespace
}  // namespace tinyarms::calibration
