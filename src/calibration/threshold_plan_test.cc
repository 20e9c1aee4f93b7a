#include "calibration/threshold_plan.h"

#include <gtest/gtest.h>

#include <cmath>

#include "calibration/random.h"

namespace tinyarms::calibration {
namespace {

// Calibrated tiers, each better and dearer than the one before.
CascadeOutcomes sampled_outcomes(uint64_t seed, size_t rows, size_t tiers) {
  Random random(seed);
  CascadeOutcomes outcomes;
  outcomes.probability.resize(tiers - 1);
  outcomes.right.resize(tiers);
  outcomes.cost.resize(tiers);
  for (size_t row = 0; row < rows; ++row) {
    const double ease = random.uniform();
    for (size_t t = 0; t < tiers; ++t) {
      const double p = std::min(0.99, std::pow(ease, 2.0 / static_cast<double>(t * t + 1)));
      outcomes.right[t].push_back(random.uniform() < p ? 1 : 0);
      outcomes.cost[t].push_back(std::pow(4, t));
      if (t + 1 < tiers) outcomes.probability[t].push_back(std::round(p * 20) / 20);
    }
  }
  return outcomes;
}

std::vector<uint64_t> keys_of(size_t rows) {
  std::vector<uint64_t> keys(rows);
  for (size_t i = 0; i < rows; ++i) keys[i] = mix64(i + 1);
  return keys;
}

TEST(ThresholdPlan, EvaluationFollowsTheCascade) {
  const CascadeOutcomes outcomes{.probability = {{0.9, 0.2, 0.2}, {0.1, 0.8, 0.1}},
                                 .right = {{1, 0, 0}, {1, 1, 0}, {1, 1, 1}},
                                 .cost = {{1, 1, 1}, {2, 2, 2}, {4, 4, 4}}};
  const Plan plan = evaluate(outcomes, {0.5, 0.5});
  EXPECT_EQ(plan.accuracy, 1);
  EXPECT_NEAR(plan.cost, (1 + 3 + 7) / 3.0, 1e-12);
  EXPECT_NEAR(plan.answered_by[2], 1 / 3.0, 1e-12);
  EXPECT_EQ(evaluate(outcomes, {0, 0}).cost, 1);
  EXPECT_EQ(evaluate(outcomes, {INFINITY, INFINITY}).cost, 7);
}

// All pairs of thresholds on the grid of the probabilities.
double cheapest_by_force(const CascadeOutcomes& outcomes, double accuracy) {
  double best = INFINITY;
  for (int a = 0; a <= 21; ++a) {
    for (int b = 0; b <= 21; ++b) {
      const auto level = [](int i) { return i == 21 ? INFINITY : i / 20.0; };
      const Plan plan = evaluate(outcomes, {level(a), level(b)});
      if (plan.accuracy >= accuracy) best = std::min(best, plan.cost);
    }
  }
  return best;
}

TEST(ThresholdPlan, ThreeTiersComeCloseToTheBestOfAll) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const CascadeOutcomes outcomes = sampled_outcomes(seed, 400, 3);
    for (const double accuracy : {0.55, 0.65, 0.72}) {
      const double best = cheapest_by_force(outcomes, accuracy);
      const PlanChoice choice =
          choose_plan(outcomes, keys_of(400), {TargetKind::Accuracy, accuracy});
      ASSERT_EQ(choice.feasible, std::isfinite(best));
      if (!choice.feasible) continue;
      EXPECT_GE(choice.plan.accuracy, accuracy);
      EXPECT_LE(choice.plan.cost, best * 1.06) << seed << " " << accuracy;
    }
  }
}

TEST(ThresholdPlan, EfficientPlansRise) {
  const auto plans = efficient_plans(sampled_outcomes(5, 500, 4));
  ASSERT_GT(plans.size(), 5u);
  for (size_t i = 1; i < plans.size(); ++i) {
    EXPECT_GT(plans[i].cost, plans[i - 1].cost);
    EXPECT_GT(plans[i].accuracy, plans[i - 1].accuracy);
  }
}

TEST(ThresholdPlan, InfeasibleSaysTheBestReachable) {
  const CascadeOutcomes outcomes = sampled_outcomes(6, 300, 3);
  const PlanChoice choice = choose_plan(outcomes, keys_of(300), {TargetKind::Accuracy, 1.01});
  EXPECT_FALSE(choice.feasible);
  EXPECT_NEAR(choice.plan.accuracy, efficient_plans(outcomes).back().accuracy, 1e-9);
  const PlanChoice cheap = choose_plan(outcomes, keys_of(300), {TargetKind::Cost, 0.5});
  EXPECT_FALSE(cheap.feasible);
  EXPECT_EQ(cheap.plan.cost, 1);
}

TEST(ThresholdPlan, CostTargetIsKept) {
  const CascadeOutcomes outcomes = sampled_outcomes(7, 500, 3);
  const PlanChoice choice = choose_plan(outcomes, keys_of(500), {TargetKind::Cost, 6});
  ASSERT_TRUE(choice.feasible);
  EXPECT_LE(choice.plan.cost, 6);
  EXPECT_GT(choice.plan.accuracy, evaluate(outcomes, {0, 0}).accuracy);
}

TEST(ThresholdPlan, RiskPromisesAreKept) {
  const CascadeOutcomes population = sampled_outcomes(8, 100'000, 3);
  int broken = 0;
  int feasible = 0;
  constexpr int kRounds = 60;
  for (int round = 0; round < kRounds; ++round) {
    const CascadeOutcomes outcomes = sampled_outcomes(1000 + round, 500, 3);
    const PlanTarget target{TargetKind::MaxRisk, 0.4, 0.9};
    const PlanChoice choice = choose_plan(outcomes, keys_of(500), target);
    if (!choice.feasible) continue;
    ++feasible;
    EXPECT_LE(choice.risk_bound, 0.4 + 1e-9);
    broken += 1 - evaluate(population, choice.plan.thresholds).accuracy > 0.4 ? 1 : 0;
  }
  EXPECT_GT(feasible, kRounds / 2);
  EXPECT_LE(broken, kRounds / 10 + 7);
}

TEST(ThresholdPlan, CostsScaleWithoutChangingThePlan) {
  CascadeOutcomes outcomes = sampled_outcomes(9, 300, 3);
  const PlanChoice once = choose_plan(outcomes, keys_of(300), {TargetKind::Accuracy, 0.65});
  for (auto& column : outcomes.cost) {
    for (double& cost : column) cost *= 1024;
  }
  const PlanChoice scaled = choose_plan(outcomes, keys_of(300), {TargetKind::Accuracy, 0.65});
  EXPECT_EQ(once.plan.thresholds, scaled.plan.thresholds);
}

TEST(ThresholdPlan, IntervalsHoldTheEstimate) {
  const CascadeOutcomes outcomes = sampled_outcomes(10, 400, 2);
  const auto intervals = bootstrap_plan(outcomes, {0.5}, {.resamples = 200});
  const Plan plan = evaluate(outcomes, {0.5});
  EXPECT_LT(intervals.accuracy.low, plan.accuracy);
  EXPECT_GT(intervals.accuracy.high, plan.accuracy);
  EXPECT_LT(intervals.cost.low, plan.cost);
  EXPECT_GT(intervals.cost.high, plan.cost);
}

}  // namespace
}  // namespace tinyarms::calibration
