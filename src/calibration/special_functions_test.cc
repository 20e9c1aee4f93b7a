#include "calibration/special_functions.h"

#include <gtest/gtest.h>

#include <cmath>

#include "calibration/random.h"

namespace tinyarms::calibration {
namespace {

void expect_close(double actual, double expected, double tolerance = 1e-10) {
  EXPECT_NEAR(actual, expected, tolerance * std::max(1e-12, std::abs(expected)));
}

// P(Binomial(n, p) ≤ k) added up term by term.
double summed_cdf(Count count, double p) {
  long double term = std::pow(1 - static_cast<long double>(p), count.trials);
  long double sum = term;
  for (uint64_t i = 1; i <= count.hits; ++i) {
    term *= static_cast<long double>(count.trials - i + 1) / i * p / (1 - p);
    sum += term;
  }
  return static_cast<double>(sum);
}

TEST(IncompleteBeta, ClosedForms) {
  for (double x : {1e-9, 0.01, 0.2, 0.5, 0.77, 0.999}) {
    expect_close(incomplete_beta({1, 1}, x), x);
    expect_close(incomplete_beta({3.5, 1}, x), std::pow(x, 3.5));
    expect_close(incomplete_beta({1, 2.5}, x), 1 - std::pow(1 - x, 2.5), 1e-7);
    expect_close(incomplete_beta({2, 2}, x), x * x * (3 - 2 * x));
    expect_close(incomplete_beta({0.5, 0.5}, x), 2 / M_PI * std::asin(std::sqrt(x)));
  }
  EXPECT_EQ(incomplete_beta({2, 3}, -1), 0);
  EXPECT_EQ(incomplete_beta({2, 3}, 2), 1);
}

TEST(IncompleteBeta, SymmetricAtTheMiddleForAnySize) {
  for (double a : {0.3, 1.0, 7.0, 1e3, 1e5, 5e6}) {
    EXPECT_NEAR(incomplete_beta({a, a}, 0.5), 0.5, 1e-10) << a;
  }
}

TEST(BinomialCdf, EqualsTheSum) {
  Random random(11);
  for (int round = 0; round < 500; ++round) {
    const uint64_t n = 1 + random.below(400);
    const Count count{random.below(n), n};
    const double p = 0.01 + 0.98 * random.uniform();
    expect_close(binomial_cdf(count, p), summed_cdf(count, p), 1e-9);
  }
  EXPECT_EQ(binomial_cdf({5, 5}, 0.3), 1);
}

TEST(ClopperPearson, PublishedValues) {
  // Two-sided 95 %: 0, 1, 5 and 10 of 10; 8 of 20; and the rule of three.
  expect_close(clopper_pearson({0, 10}, 0.95).high, 0.3084971078187608);
  expect_close(clopper_pearson({1, 10}, 0.95).low, 0.002528578544461735);
  expect_close(clopper_pearson({1, 10}, 0.95).high, 0.4450161170281964);
  expect_close(clopper_pearson({5, 10}, 0.95).low, 0.187086028447398, 1e-9);
  expect_close(clopper_pearson({5, 10}, 0.95).high, 0.812913971552602, 1e-9);
  expect_close(clopper_pearson({10, 10}, 0.95).low, 1 - 0.3084971078187608);
  EXPECT_NEAR(clopper_pearson_upper({0, 1000}, 0.05), 3.0 / 1000, 1e-5);
}

TEST(ClopperPearson, BoundsInvertTheTail) {
  Random random(12);
  for (int round = 0; round < 300; ++round) {
    const uint64_t n = 2 + random.below(round % 10 == 0 ? 5'000'000 : 3000);
    const Count count{1 + random.below(n - 1), n};
    const double upper = clopper_pearson_upper(count, 0.05);
    const double lower = clopper_pearson_lower(count, 0.05);
    EXPECT_NEAR(binomial_cdf(count, upper), 0.05, 1e-8) << count.hits << "/" << n;
    EXPECT_NEAR(1 - binomial_cdf({count.hits - 1, n}, lower), 0.05, 1e-8);
    EXPECT_LT(lower, upper);
  }
}

TEST(ClopperPearson, NoTrialsSayNothing) {
  EXPECT_EQ(clopper_pearson({0, 0}, 0.95).low, 0);
  EXPECT_EQ(clopper_pearson({0, 0}, 0.95).high, 1);
}

TEST(ClopperPearson, CoversAtLeastAsOftenAsPromised) {
  Random random(13);
  for (double rate : {0.02, 0.3}) {
    int missed = 0;
    for (int round = 0; round < 4000; ++round) {
      Count count{0, 60};
      for (int i = 0; i < 60; ++i) count.hits += random.uniform() < rate ? 1 : 0;
      missed += clopper_pearson_upper(count, 0.1) < rate ? 1 : 0;
    }
    EXPECT_LE(missed, 400 + 60) << rate;
  }
}

TEST(Logistic, StableAtTheEnds) {
  EXPECT_EQ(sigmoid(-800), 0);
  EXPECT_EQ(sigmoid(800), 1);
  expect_close(sigmoid(-40), std::exp(-40.0), 1e-12);
  expect_close(logit(sigmoid(3)), 3, 1e-12);
  EXPECT_EQ(log1p_exp(1000), 1000);
  expect_close(log1p_exp(-50), std::exp(-50.0), 1e-12);
}

}  // namespace
}  // namespace tinyarms::calibration
