#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tinyarms::engine {
namespace {

constexpr float kMasked = -std::numeric_limits<float>::infinity();

std::vector<int> counts(const std::vector<float>& logits, double temperature, int draws) {
  Sampler sampler(temperature, 42);
  const LogitScan scan = scan_logits(logits);
  std::vector<int> count(logits.size());
  for (int i = 0; i < draws; ++i) ++count[static_cast<size_t>(sampler.draw(logits, scan))];
  return count;
}

TEST(Sampler, GreedyTakesTheFirstOfTheLargest) {
  const std::vector<float> logits = {0, 3, 1, 3, -1};
  Sampler sampler(0, 1);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sampler.draw(logits, scan_logits(logits)), 1);
}

TEST(Sampler, DrawsInProportionAcrossBlocks) {
  // Three tokens in three blocks with probabilities 0.5, 0.3, 0.2.
  std::vector<float> logits(6000, kMasked);
  logits[3] = static_cast<float>(std::log(0.5));
  logits[2500] = static_cast<float>(std::log(0.3));
  logits[5999] = static_cast<float>(std::log(0.2));
  const auto count = counts(logits, 1.0, 20000);
  EXPECT_NEAR(count[3], 10000, 300);
  EXPECT_NEAR(count[2500], 6000, 300);
  EXPECT_NEAR(count[5999], 4000, 300);
}

TEST(Sampler, TemperatureSharpensAndFlattens) {
  const std::vector<float> logits = {1, 0};
  EXPECT_NEAR(counts(logits, 0.5, 10000)[0], 10000 / (1 + std::exp(-2.0)), 200);
  EXPECT_NEAR(counts(logits, 4.0, 10000)[0], 10000 / (1 + std::exp(-0.25)), 200);
  EXPECT_EQ(counts(logits, 1e-30, 100)[0], 100);
  EXPECT_NEAR(counts(logits, 1e30, 10000)[0], 5000, 200);
}

TEST(Sampler, NeverDrawsAMaskedToken) {
  std::vector<float> logits(5000, kMasked);
  for (size_t i = 1; i < logits.size(); i += 7) logits[i] = 0;
  const auto count = counts(logits, 2.0, 5000);
  for (size_t i = 0; i < logits.size(); ++i) {
    if (i % 7 != 1) {
      EXPECT_EQ(count[i], 0) << i;
    }
  }
}

TEST(Sampler, TheSeedDecides) {
  std::vector<float> logits(1000);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = std::sin(static_cast<float>(i));
  const LogitScan scan = scan_logits(logits);
  const auto draw = [&](uint32_t seed) {
    Sampler sampler(1.0, seed);
    std::vector<int32_t> tokens;
    for (int i = 0; i < 20; ++i) tokens.push_back(sampler.draw(logits, scan));
    return tokens;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

}  // namespace
}  // namespace tinyarms::engine
