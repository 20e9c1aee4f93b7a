#include "calibration/drift_guard.h"

#include <gtest/gtest.h>

#include <cmath>

#include "calibration/random.h"

namespace tinyarms::calibration {
namespace {

// The wealth as it is defined: Σ over bets and beginnings, each stream multiplied out.
double wealth_by_definition(const std::vector<bool>& outcomes, double alpha) {
  constexpr size_t kBets = 12;
  double sum = 0;
  for (size_t bet = 0; bet < kBets; ++bet) {
    const double odds =
        alpha / (1 - alpha) * 1.25 * std::pow(16.0, static_cast<double>(bet) / (kBets - 1));
    const double q = odds / (1 + odds);
    for (size_t begin = 0; begin < outcomes.size(); ++begin) {
      const auto j = static_cast<double>(begin + 1);
      double wealth = 1 / (j * (j + 1)) / kBets;
      for (size_t i = begin; i < outcomes.size(); ++i) {
        wealth *= outcomes[i] ? q / alpha : (1 - q) / (1 - alpha);
      }
      sum += wealth;
    }
  }
  return sum + 1 / static_cast<double>(outcomes.size() + 1);
}

TEST(DriftGuard, IsTheMixtureOfAllBetsAndBeginnings) {
  Random random(11);
  for (int round = 0; round < 20; ++round) {
    const double alpha = 0.02 + 0.4 * random.uniform();
    DriftGuard guard({.alpha = alpha, .delta = 1e-9});
    std::vector<bool> outcomes;
    for (int i = 0; i < 40; ++i) {
      outcomes.push_back(random.uniform() < 0.3);
      guard.observe(outcomes.back());
      const double expected = wealth_by_definition(outcomes, alpha);
      ASSERT_NEAR(guard.e_value(), expected, 1e-9 * expected) << "seed 11, round " << round;
    }
  }
}

// E[wealth after one more | now] ≤ wealth now, for every risk up to α: exactly, at every state.
TEST(DriftGuard, NoBetGainsWhileThePromiseHolds) {
  Random random(12);
  for (int round = 0; round < 200; ++round) {
    const double alpha = 0.01 + 0.5 * random.uniform();
    DriftGuard guard({.alpha = alpha, .delta = 1e-9});
    for (int i = 0; i < 30; ++i) {
      DriftGuard if_wrong = guard;
      DriftGuard if_right = guard;
      if_wrong.observe(true);
      if_right.observe(false);
      for (const double risk : {0.0, alpha / 2, alpha}) {
        const double expected = risk * if_wrong.e_value() + (1 - risk) * if_right.e_value();
        ASSERT_LE(expected, guard.e_value() * (1 + 1e-12)) << "seed 12, round " << round;
      }
      const double at_alpha = alpha * if_wrong.e_value() + (1 - alpha) * if_right.e_value();
      ASSERT_NEAR(at_alpha, guard.e_value(), 1e-12 * guard.e_value());  // a martingale there
      guard.observe(random.uniform() < 0.5);
    }
  }
}

TEST(DriftGuard, OneMoreWrongAnswerIsNeverLessEvidence) {
  Random random(13);
  for (int round = 0; round < 200; ++round) {
    std::vector<bool> outcomes(40);
    for (size_t i = 0; i < outcomes.size(); ++i) outcomes[i] = random.uniform() < 0.2;
    const auto e_of = [](const std::vector<bool>& stream) {
      DriftGuard guard({.alpha = 0.1, .delta = 0.05});
      for (const bool wrong : stream) guard.observe(wrong);
      return guard.e_value();
    };
    const double before = e_of(outcomes);
    const size_t at = random.below(outcomes.size());
    outcomes[at] = true;
    ASSERT_GE(e_of(outcomes), before) << "seed 13, round " << round;
  }
}

TEST(DriftGuard, FalseAlarmsStayBelowDelta) {
  // Exactly at the promised rate: the hardest clean stream.
  const DriftReport at_alpha = simulate_drift({.target = {.alpha = 0.05, .delta = 0.05},
                                               .rate_before = 0.05,
                                               .rate_after = 0.05,
                                               .change_at = 2000,
                                               .length = 2000,
                                               .runs = 1000,
                                               .seed = 3});
  EXPECT_LE(at_alpha.false_alarms, 50u);
  const DriftReport clean = simulate_drift({.target = {.alpha = 0.1, .delta = 0.05},
                                            .rate_before = 0.05,
                                            .change_at = 1000,
                                            .length = 1000,
                                            .runs = 1000,
                                            .seed = 4});
  EXPECT_LE(clean.false_alarms, 50u);
}

TEST(DriftGuard, AShiftFromFiveToFifteenPercentIsFound) {
  const DriftReport report = simulate_drift({.target = {.alpha = 0.05, .delta = 0.05},
                                             .rate_before = 0.05,
                                             .rate_after = 0.15,
                                             .change_at = 300,
                                             .length = 1300,
                                             .runs = 1000,
                                             .seed = 5});
  EXPECT_LE(report.false_alarms, 50u);
  EXPECT_EQ(report.found + report.false_alarms, report.runs);
  EXPECT_LE(report.delay_median, 150);
  EXPECT_LE(report.delay_q95, 350);
}

TEST(DriftGuard, ALongGoodStretchDoesNotBlindIt) {
  DriftGuard guard({.alpha = 0.1, .delta = 0.05});
  for (int i = 0; i < 100'000; ++i) guard.observe(false);
  EXPECT_FALSE(guard.alarmed());
  size_t needed = 0;
  while (!guard.alarmed()) {
    guard.observe(true);
    ++needed;
  }
  EXPECT_LE(needed, 20u);
  EXPECT_EQ(guard.alarm(), 100'000 + needed);
  EXPECT_EQ(guard.wrong(), needed);
}

TEST(DriftGuard, NumbersStayFinite) {
  DriftGuard guard({.alpha = 1e-6, .delta = 1e-6});
  for (int i = 0; i < 10'000; ++i) guard.observe(true);
  EXPECT_TRUE(std::isfinite(guard.e_value()));
  EXPECT_TRUE(guard.alarmed());
}

}  // namespace
}  // namespace tinyarms::calibration
