#include "eval/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tinyarms::eval {
namespace {

// Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
TEST(Wilson, PublishedValues) {
  EXPECT_NEAR(wilson({81, 263}).low, 0.2553, 5e-5);
  EXPECT_NEAR(wilson({81, 263}).high, 0.3662, 5e-5);
  EXPECT_EQ(wilson({0, 20}).low, 0);
  EXPECT_NEAR(wilson({0, 20}).high, 0.1611, 5e-5);
  EXPECT_EQ(wilson({20, 20}).high, 1);
  EXPECT_EQ(wilson({0, 0}).low, 0);
  EXPECT_EQ(wilson({0, 0}).high, 1);
}

TEST(PassAtK, IsTheShareOfSubsetsWithARightSample) {
  EXPECT_DOUBLE_EQ(pass_at_k({.drawn = 4, .correct = 1}, 1), 0.25);
  // Of the 6 pairs of 4 samples, 3 hold the right one.
  EXPECT_DOUBLE_EQ(pass_at_k({.drawn = 4, .correct = 1}, 2), 0.5);
  EXPECT_DOUBLE_EQ(pass_at_k({.drawn = 5, .correct = 3}, 3), 1);
  EXPECT_DOUBLE_EQ(pass_at_k({.drawn = 5, .correct = 0}, 5), 0);
  EXPECT_NEAR(pass_at_k({.drawn = 200, .correct = 20}, 10), 0.6602, 5e-4);
}

TEST(Compare, CountsDiscordantItems) {
  std::vector<ScorePair> items;
  for (int i = 0; i < 40; ++i) items.push_back({1, 1});
  for (int i = 0; i < 2; ++i) items.push_back({1, 0});
  for (int i = 0; i < 10; ++i) items.push_back({0, 1});
  const Paired result = compare(items);
  EXPECT_EQ(result.only_first, 2u);
  EXPECT_EQ(result.only_second, 10u);
  // 2 · P(Binomial(12, ½) ≤ 2) = 2 · 79 / 4096
  EXPECT_NEAR(result.p_value, 158.0 / 4096, 1e-12);
  EXPECT_NEAR(result.difference, 8.0 / 52, 1e-12);
  EXPECT_GT(result.interval.low, 0);
  EXPECT_LT(result.interval.low, result.difference);
  EXPECT_GT(result.interval.high, result.difference);
}

// Of 30 items; of others they may.
TEST(Compare, EqualRunsDifferByNothing) {
  const std::vector<ScorePair> items(30, {1, 1});
  const Paired result = compare(items);
  EXPECT_EQ(result.p_value, 1);
  EXPECT_EQ(result.difference, 0);
  EXPECT_EQ(result.interval.high, wilson({.hits = 0, .trials = 30}).high);
  EXPECT_EQ(result.interval.low, -result.interval.high);
  EXPECT_EQ(compare({}).items, 0u);
}

TEST(Bootstrap, CoversTheMeanAndRepeatsItself) {
  std::vector<double> values;
  for (int i = 0; i < 200; ++i) values.push_back(i % 4 == 0 ? 1 : 0);
  const Interval once = bootstrap_mean(values);
  const Interval again = bootstrap_mean(values);
  EXPECT_EQ(once.low, again.low);
  EXPECT_EQ(once.high, again.high);
  // The normal approximation: 0.25 ± 1.96 · √(0.25 · 0.75 / 200).
  EXPECT_NEAR(once.low, 0.25 - 0.06, 0.01);
  EXPECT_NEAR(once.high, 0.25 + 0.06, 0.01);
}

// Three failures in a row are no proof of failure, and three ties none of equality.
TEST(Bootstrap, EqualValuesLeaveDoubt) {
  const std::vector<double> none = {0, 0, 0};
  const Interval share = bootstrap_bounded_mean(none, {0, 1});
  EXPECT_EQ(share.low, 0);
  EXPECT_EQ(share.high, wilson({.hits = 0, .trials = 3}).high);
  const std::vector<double> all = {1, 1, 1};
  EXPECT_NEAR(bootstrap_bounded_mean(all, {0, 1}).low, wilson({.hits = 3, .trials = 3}).low, 1e-12);
  EXPECT_EQ(bootstrap_bounded_mean(all, {0, 1}).high, 1);
  EXPECT_EQ(bootstrap_bounded_mean(none, {-1, 1}).low, -share.high);
  const std::vector<double> mixed = {0, 1, 1};
  EXPECT_EQ(bootstrap_bounded_mean(mixed, {0, 1}).high, bootstrap_mean(mixed).high);
}

TEST(Spearman, RanksWithTies) {
  const std::vector<Point> rising = {{1, 10}, {2, 20}, {3, 400}};
  EXPECT_DOUBLE_EQ(spearman(rising), 1);
  const std::vector<Point> falling = {{1, 3}, {2, 2}, {3, 1}};
  EXPECT_DOUBLE_EQ(spearman(falling), -1);
  // Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3.
  const std::vector<Point> tied = {{1, 1}, {2, 2}, {2, 3}, {3, 4}};
  EXPECT_NEAR(spearman(tied), 4.5 / std::sqrt(4.5 * 5), 1e-12);
  const std::vector<Point> constant = {{1, 1}, {1, 2}};
  EXPECT_TRUE(std::isnan(spearman(constant)));
}

}  // namespace
}  // namespace tinyarms::eval
