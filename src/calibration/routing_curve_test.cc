#include "calibration/routing_curve.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tinyarms::calibration {
namespace {

// Small is right with probability `score`, large always better by a fixed share.
std::vector<RoutedItem> sample(uint64_t seed, size_t count, bool informative) {
  Random random(seed);
  std::vector<RoutedItem> items;
  for (size_t i = 0; i < count; ++i) {
    const double p = random.uniform();
    items.push_back({.score = informative ? p : random.uniform(),
                     .small_outcome = random.uniform() < p ? 1.0 : 0.0,
                     .large_outcome = random.uniform() < 0.9 ? 1.0 : 0.0,
                     .small_cost = 1,
                     .large_cost = 10});
  }
  sort_by_score(items);
  return items;
}

TEST(RoutingCurve, WorkedExample) {
  const std::vector<RoutedItem> items = {
      {0.1, 0, 1, 1, 10}, {0.2, 0, 1, 1, 10}, {0.8, 1, 1, 1, 10}, {0.9, 0, 1, 1, 10}};
  const auto curve = routing_curve(items, CostModel::Cascade);
  ASSERT_EQ(curve.size(), 5u);
  EXPECT_EQ(curve[0].accuracy, 0.25);
  EXPECT_EQ(curve[0].cost, 1);
  EXPECT_EQ(curve[2].escalated, 0.5);
  EXPECT_EQ(curve[2].threshold, 0.8);
  EXPECT_EQ(curve[2].accuracy, 0.75);
  EXPECT_EQ(curve[2].cost, 6);
  EXPECT_EQ(curve[4].accuracy, 1);
  EXPECT_EQ(curve[4].cost, 11);
  EXPECT_EQ(routing_curve(items, CostModel::Router)[4].cost, 10);
  const RoutingSummary summary = summarise(curve);
  // PGR 0, 1/3, 2/3, 2/3, 1 at shares 0, ¼, ½, ¾, 1.
  EXPECT_NEAR(*summary.apgr, (0.5 / 3 + 1.5 / 3 + 2.0 / 3 + 2.5 / 3) / 4, 1e-12);
  EXPECT_NEAR(*summary.cpt50, 0.375, 1e-12);
  EXPECT_NEAR(*summary.cpt80, 0.75 + 0.25 * (0.8 - 2.0 / 3) * 3, 1e-12);
  EXPECT_NEAR(accuracy_at_cost(curve, 6), 0.75, 1e-12);
  EXPECT_NEAR(accuracy_at_cost(curve, 3.5 - 1.25), 0.375, 1e-12);
  EXPECT_EQ(accuracy_at_cost(curve, 0.1), 0.25);
  EXPECT_EQ(accuracy_at_cost(curve, 99), 1);
}

TEST(RoutingCurve, TiesAreARandomChoice) {
  std::vector<RoutedItem> items = sample(1, 400, false);
  for (RoutedItem& item : items) item.score = 3;
  const auto curve = routing_curve(items, CostModel::Router);
  ASSERT_EQ(curve.size(), 2u);
  EXPECT_NEAR(*summarise(curve).apgr, 0.5, 1e-12);
  EXPECT_NEAR(*summarise(curve).cpt80, 0.8, 1e-12);
}

TEST(RoutingCurve, RandomScoresRecoverHalfOnAverage) {
  double sum = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    sum += *summarise(routing_curve(sample(seed, 600, false), CostModel::Router)).apgr;
  }
  EXPECT_NEAR(sum / 60, 0.5, 0.01);
  EXPECT_GT(*summarise(routing_curve(sample(3, 600, true), CostModel::Router)).apgr, 0.65);
}

TEST(RoutingCurve, NoGapNoGain) {
  const auto curve = routing_curve(std::vector<RoutedItem>{{0.1, 1, 1, 1, 2}, {0.2, 1, 0, 1, 2}},
                                   CostModel::Router);
  EXPECT_FALSE(summarise(curve).apgr);
  EXPECT_FALSE(bootstrap_routing(std::vector<RoutedItem>{{0.1, 1, 1, 1, 2}, {0.2, 1, 0, 1, 2}}, {})
                   .apgr);
}

TEST(RoutingCurve, IntervalHoldsTheEstimateAndExcludesChance) {
  const auto items = sample(5, 1500, true);
  const auto intervals = bootstrap_routing(items, {.resamples = 200});
  const double apgr = *summarise(routing_curve(items, CostModel::Router)).apgr;
  ASSERT_TRUE(intervals.apgr && intervals.cpt50);
  EXPECT_LT(intervals.apgr->low, apgr);
  EXPECT_GT(intervals.apgr->high, apgr);
  EXPECT_GT(intervals.apgr->low, 0.5);
}

TEST(RoutingCurve, ThinningKeepsTheEnds) {
  const auto curve = routing_curve(sample(6, 5000, true), CostModel::Cascade);
  const auto few = thinned(curve, 21);
  EXPECT_LE(few.size(), 21u);
  EXPECT_EQ(few.front().escalated, 0);
  EXPECT_EQ(few.back().escalated, 1);
}

}  // namespace
}  // namespace tinyarms::calibration
