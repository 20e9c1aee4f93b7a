#include "engine/answer_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tinyarms::engine {
namespace {

TokenStatistics token(double probability, double top1, double top2, double entropy) {
  TokenStatistics statistics;
  statistics.logprob = static_cast<float>(std::log(probability));
  statistics.top1 = static_cast<float>(top1);
  statistics.top2 = static_cast<float>(top2);
  statistics.entropy = static_cast<float>(entropy);
  statistics.logit_variance = static_cast<float>(entropy * 2);
  return statistics;
}

TEST(AnswerStatistics, NoTokensIsAllZero) {
  const AnswerStatistics none = summarise({});
  EXPECT_EQ(none.tokens, 0);
  EXPECT_EQ(none.probability_min, 0);
  EXPECT_EQ(none.sequence_logprob, 0);
}

TEST(AnswerStatistics, OneTokenIsItself) {
  const AnswerStatistics one = summarise({token(0.25, 0.5, 0.25, 1.0)});
  EXPECT_EQ(one.tokens, 1);
  EXPECT_NEAR(one.probability_mean, 0.25, 1e-7);
  EXPECT_NEAR(one.probability_q10, 0.25, 1e-7);
  EXPECT_NEAR(one.logprob_mean, std::log(0.25), 1e-6);
  EXPECT_NEAR(one.margin_mean, 0.25, 1e-7);
}

TEST(AnswerStatistics, Aggregates) {
  const AnswerStatistics three = summarise(
      {token(0.9, 0.9, 0.05, 0.2), token(0.5, 0.5, 0.4, 1.0), token(0.1, 0.6, 0.1, 1.8)});
  EXPECT_EQ(three.tokens, 3);
  EXPECT_NEAR(three.probability_mean, 0.5, 1e-6);
  EXPECT_NEAR(three.probability_min, 0.1, 1e-6);
  // Type 7 over {0.1, 0.5, 0.9} at 0.1: position 0.2, so 0.1 + 0.2 · 0.4.
  EXPECT_NEAR(three.probability_q10, 0.18, 1e-6);
  EXPECT_NEAR(three.sequence_logprob, std::log(0.9 * 0.5 * 0.1), 1e-6);
  EXPECT_NEAR(three.logprob_mean, std::log(0.9 * 0.5 * 0.1) / 3, 1e-6);
  EXPECT_NEAR(three.margin_mean, (0.85 + 0.1 + 0.5) / 3, 1e-6);
  EXPECT_NEAR(three.margin_min, 0.1, 1e-6);
  EXPECT_NEAR(three.margin_q10, 0.1 + 0.2 * 0.4, 1e-6);
  EXPECT_NEAR(three.entropy_mean, 1.0, 1e-6);
  EXPECT_NEAR(three.entropy_max, 1.8, 1e-6);
  EXPECT_NEAR(three.logit_variance_mean, 2.0, 1e-6);
}

}  // namespace
}  // namespace tinyarms::engine
