#include "cascade/formula_estimator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tinyarms::cascade {
namespace {

using Signals = std::vector<std::pair<std::string_view, EvidenceValue>>;

Confidence estimate(const Signals& signals) {
  Attempt attempt;
  for (const auto& [name, value] : signals) attempt.evidence.set(name, value);
  return FormulaEstimator().estimate(Level::L2, attempt);
}

TEST(FormulaEstimator, GeometricMeanOfTheTokens) {
  const Confidence confidence = estimate({{signal::kLogprobMean, std::log(0.8)}});
  EXPECT_NEAR(confidence.value, 0.8, 1e-12);
  EXPECT_FALSE(confidence.calibrated);
  EXPECT_THAT(confidence.formula, testing::HasSubstr("logprob_mean -0.223"));
}

TEST(FormulaEstimator, EachFlawHalves) {
  const double logprob = std::log(0.8);
  EXPECT_NEAR(estimate({{signal::kLogprobMean, logprob}, {signal::kCodeParses, false}}).value, 0.4,
              1e-12);
  EXPECT_NEAR(estimate({{signal::kLogprobMean, logprob}, {signal::kFinished, false}}).value, 0.4,
              1e-12);
  EXPECT_NEAR(estimate({{signal::kLogprobMean, logprob},
                        {signal::kCodeParses, false},
                        {signal::kFinished, false}}).value, 0.2, 1e-12);
  EXPECT_NEAR(estimate({{signal::kLogprobMean, logprob},
                        {signal::kCodeParses, true},
                        {signal::kFinished, true}}).value, 0.8, 1e-12);
}

TEST(FormulaEstimator, WhatBreaksItsSchemaIsWorthNothing) {
  Attempt attempt;
  attempt.evidence.set(signal::kLogprobMean, -0.01);
  attempt.evidence.set(signal::kKeepsToOrder, true);
  EXPECT_GT(FormulaEstimator().estimate(Level::L2, attempt).value, 0.9);
  attempt.evidence.set(signal::kKeepsToOrder, false);
  EXPECT_EQ(FormulaEstimator().estimate(Level::L2, attempt).value, 0);
}

TEST(FormulaEstimator, ExactAnswersAreSure) {
  EXPECT_EQ(estimate({{signal::kExact, true}}).value, 1);
  EXPECT_EQ(estimate({{signal::kExact, false}}).value, 0);
}

TEST(FormulaEstimator, CachedAnswersKeepTheirConfidence) {
  EXPECT_NEAR(estimate({{signal::kSimilarity, 0.9}, {signal::kCachedConfidence, 0.5}}).value, 0.45,
              1e-12);
  EXPECT_EQ(estimate({{signal::kSimilarity, 1.0}}).value, 0);  // never measured
  EXPECT_EQ(estimate({{signal::kSimilarity, -0.5}, {signal::kCachedConfidence, 1.0}}).value, 0);
  const double rounded = 1.0000001;
  EXPECT_EQ(estimate({{signal::kSimilarity, rounded}, {signal::kCachedConfidence, 1.0}}).value, 1);
}

TEST(FormulaEstimator, HoldsWhatRulesFindAgainstTheAnswer) {
  const auto with = [](std::string_view name, double count) {
    return estimate({{signal::kLogprobMean, std::log(0.8)}, {std::string(name), count}}).value;
  };
  EXPECT_NEAR(with(signal::kUndefinedNames, 2), 0.4, 1e-9);
  EXPECT_NEAR(with(signal::kBannedCalls, 1), 0.4, 1e-9);
  EXPECT_NEAR(with(signal::kRuleBug, 1), 0.64, 1e-9);
  EXPECT_NEAR(with(signal::kRuleBug, 0), 0.8, 1e-9);
  EXPECT_NEAR(with(signal::kRuleBug, std::nan("")), 0.8, 1e-9);
  EXPECT_NEAR(with(signal::kRuleModernise, 3), 0.8, 1e-9) << "old is not wrong";
  EXPECT_NEAR(with(signal::kRequestBug, 3), 0.8, 1e-9) << "the question's, not the answer's";
}

TEST(FormulaEstimator, BrokenNumbersNeverLookSure) {
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(estimate({}).value, 0);
  for (double broken : {nan, infinity, -infinity, 1000.0, 0.5}) {
    EXPECT_EQ(estimate({{signal::kLogprobMean, broken}}).value, 0) << broken;
  }
  EXPECT_EQ(estimate({{signal::kSimilarity, nan}, {signal::kCachedConfidence, 1.0}}).value, 0);
  EXPECT_EQ(estimate({{signal::kSimilarity, 1.0}, {signal::kCachedConfidence, nan}}).value, 0);
  EXPECT_EQ(estimate({{signal::kLogprobMean, std::string("-0.1")}}).value, 0);
}

}  // namespace
}  // namespace tinyarms::cascade
