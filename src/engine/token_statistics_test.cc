#include "engine/token_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "engine/fast_exp.h"

namespace tinyarms::engine {
namespace {

constexpr float kMasked = -std::numeric_limits<float>::infinity();

struct Reference {
  double top1 = 0;
  double top2 = 0;
  double entropy = 0;
  double variance = 0;
  double logprob = 0;
};

// The plain definitions, in double precision, several passes.
Reference reference(const std::vector<float>& logits, int32_t chosen) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  double mean = 0;
  double finite = 0;
  for (const float logit : logits) {
    sum += std::exp(logit - top);
    if (std::isfinite(logit)) {
      mean += logit;
      ++finite;
    }
  }
  mean /= finite;
  Reference expected;
  std::vector<double> probabilities;
  for (const float logit : logits) {
    const double p = std::exp(logit - top) / sum;
    probabilities.push_back(p);
    if (p > 0) expected.entropy -= p * std::log(p);
    if (std::isfinite(logit)) expected.variance += (logit - mean) * (logit - mean) / finite;
  }
  std::sort(probabilities.rbegin(), probabilities.rend());
  expected.top1 = probabilities[0];
  expected.top2 = probabilities[1];
  expected.logprob = logits[static_cast<size_t>(chosen)] - top - std::log(sum);
  return expected;
}

void expect_near(double actual, double expected, double relative, const char* what) {
  // Single precision around 1 is what the results are stored in.
  EXPECT_NEAR(actual, expected, 6e-7 + relative * std::abs(expected)) << what;
}

void expect_matches(const std::vector<float>& logits, int32_t chosen) {
  const TokenStatistics actual = token_statistics(logits, chosen);
  const Reference expected = reference(logits, chosen);
  expect_near(actual.top1, expected.top1, 2e-6, "top1");
  expect_near(actual.top2, expected.top2, 2e-6, "top2");
  expect_near(actual.entropy, expected.entropy, 1e-5, "entropy");
  expect_near(actual.logit_variance, expected.variance, 1e-5, "variance");
  if (std::isfinite(expected.logprob)) {
    expect_near(actual.logprob, expected.logprob, 2e-6, "logprob");
  } else {
    EXPECT_EQ(actual.logprob, expected.logprob);
  }
}

std::vector<float> gaussian(size_t count, uint32_t seed, float scale) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(-2.0f, scale);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

TEST(FastExp, IsWithinAMillionth) {
  double worst = 0;
  for (double x = -86.99; x <= 0; x += 0.000173) {
    const auto single = static_cast<float>(x);
    const double exact = std::exp(static_cast<double>(single));
    worst = std::max(worst, std::abs(fast_exp(single) - exact) / exact);
  }
  EXPECT_LT(worst, 3e-7);
  EXPECT_EQ(fast_exp(0.0f), 1.0f);
  EXPECT_LT(fast_exp(kMasked), 2e-38f);
  EXPECT_TRUE(std::isnan(fast_exp(std::nanf(""))));
}

TEST(TokenStatistics, MatchesTheDefinitions) {
  for (const size_t count : {2u, 3u, 17u, 2047u, 2048u, 2049u, 49152u, 151936u}) {
    for (const float scale : {0.1f, 3.0f, 12.0f}) {
      SCOPED_TRACE(std::to_string(count) + " × " + std::to_string(scale));
      const auto logits = gaussian(count, 11, scale);
      expect_matches(logits, static_cast<int32_t>(count / 2));
      const auto top = std::max_element(logits.begin(), logits.end()) - logits.begin();
      expect_matches(logits, static_cast<int32_t>(top));
      EXPECT_EQ(scan_logits(logits).top_token, top);
    }
  }
}

// Whatever block the largest two are in, and in whichever order.
TEST(TokenStatistics, FindsTheTopTwoAnywhere) {
  for (const size_t first : {0u, 5u, 2047u, 2048u, 4095u, 6000u}) {
    for (const size_t second : {1u, 6u, 2046u, 2049u, 4094u, 6143u}) {
      std::vector<float> logits = gaussian(6144, 3, 0.5f);
      logits[first] = 9;
      logits[second] = 8;
      SCOPED_TRACE(std::to_string(first) + ", " + std::to_string(second));
      expect_matches(logits, static_cast<int32_t>(second));
      EXPECT_EQ(scan_logits(logits).top_token, static_cast<int32_t>(first));
    }
  }
}

TEST(TokenStatistics, AscendingAndDescendingOrder) {
  std::vector<float> logits(20000);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i) * 0.001f;
  expect_matches(logits, 19999);
  std::reverse(logits.begin(), logits.end());
  expect_matches(logits, 0);
}

TEST(TokenStatistics, ConstantLogitsAreUniform) {
  const std::vector<float> logits(49152, 3.25f);
  const TokenStatistics statistics = token_statistics(logits, 7);
  EXPECT_FLOAT_EQ(statistics.top1, 1.0f / 49152);
  EXPECT_FLOAT_EQ(statistics.top2, statistics.top1);
  EXPECT_EQ(statistics.margin(), 0);
  EXPECT_NEAR(statistics.entropy, std::log(49152.0), 1e-5);
  EXPECT_NEAR(statistics.logit_variance, 0, 1e-9);
  EXPECT_EQ(scan_logits(logits).top_token, 0);
}

TEST(TokenStatistics, TiesShareTheTop) {
  std::vector<float> logits(5000, -30.0f);
  logits[10] = logits[4000] = 5;
  const TokenStatistics statistics = token_statistics(logits, 4000);
  EXPECT_FLOAT_EQ(statistics.top1, 0.5f);
  EXPECT_FLOAT_EQ(statistics.top2, 0.5f);
  EXPECT_NEAR(statistics.entropy, std::log(2.0), 1e-6);
  EXPECT_NEAR(statistics.logprob, -std::log(2.0), 1e-6);
  EXPECT_EQ(scan_logits(logits).top_token, 10);
}

TEST(TokenStatistics, MaskedTokensWeighNothing) {
  std::vector<float> logits = gaussian(10000, 5, 2.0f);
  for (size_t i = 0; i < logits.size(); i += 2) logits[i] = kMasked;
  expect_matches(logits, 1);
  expect_matches(logits, 0);

  std::vector<float> late(10000, kMasked);  // whole blocks masked before the first logit
  late[9000] = 1;
  late[9001] = 0;
  expect_matches(late, 9000);

  std::vector<float> single(10000, kMasked);
  single[3] = -4;
  const TokenStatistics sure = token_statistics(single, 3);
  EXPECT_FLOAT_EQ(sure.top1, 1);
  EXPECT_EQ(sure.top2, 0);
  EXPECT_NEAR(sure.entropy, 0, 1e-6);
  EXPECT_NEAR(sure.logprob, 0, 1e-6);
  EXPECT_EQ(sure.logit_variance, 0);
}

TEST(TokenStatistics, AllMaskedHasNoTop) {
  const std::vector<float> logits(3000, kMasked);
  EXPECT_EQ(scan_logits(logits).top_token, -1);
  EXPECT_FALSE(std::isfinite(scan_logits(logits).log_sum));
}

TEST(TokenStatistics, HugeLogitsDoNotOverflow) {
  std::vector<float> logits(5000, -1e30f);
  logits[4321] = 1e30f;
  const TokenStatistics sure = token_statistics(logits, 4321);
  EXPECT_FLOAT_EQ(sure.top1, 1);
  EXPECT_EQ(sure.top2, 0);
  EXPECT_FLOAT_EQ(sure.logprob, 0);
  EXPECT_EQ(sure.logit_variance, FLT_MAX);
  const std::vector<float> enormous(5000, FLT_MAX);
  const TokenStatistics uniform = token_statistics(enormous, 0);
  EXPECT_FLOAT_EQ(uniform.top1, 1.0f / 5000);
  EXPECT_FALSE(std::isnan(uniform.logit_variance));
}

// A large common offset must not eat the variance's digits.
TEST(TokenStatistics, AnOffsetChangesNothing) {
  std::vector<float> logits = gaussian(30000, 9, 1.0f);
  for (float& logit : logits) logit += 4096.0f;
  expect_matches(logits, 77);
}

TEST(TokenStatistics, NotANumberShows) {
  std::vector<float> logits = gaussian(5000, 2, 1.0f);
  logits[2500] = std::nanf("");
  EXPECT_FALSE(std::isfinite(scan_logits(logits).log_sum));
}

}  // namespace
}  // namespace tinyarms::engine
