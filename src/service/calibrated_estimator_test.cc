#include "service/calibrated_estimator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "base/sha256.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;
using cascade::Level;
using testing::HasSubstr;

calibration::GroupCalibrator platt(double intercept) {
  calibration::GroupCalibrator group;
  group.calibrator.signals = {"margin_mean"};
  group.calibrator.model = calibration::PlattMap{.slope = 1, .intercept = intercept};
  group.calibrator.when_missing = 0.25;
  group.calibrator.records = 100;
  return group;
}

calibration::CalibratorSet set_for(const std::string& model) {
  calibration::CalibratorSet set;
  set.tier = "l2";
  set.identity = {model, "Q4_1", "engine 1", "greedy"};
  set.pooled = platt(0);
  set.groups["maths"] = platt(-2);
  return set;
}

calibration::Certificate certificate_for(const std::string& model, const std::string& score) {
  calibration::Certificate certificate;
  certificate.tier = "l2";
  certificate.score = score;
  certificate.hashes = {
      {"model", model}, {"quantization", "Q4_1"}, {"engine", "engine 1"}, {"sampler", "greedy"}};
  certificate.pooled = calibration::Certified{
      .threshold = 0.6, .records = 200, .kept = 100, .wrong = 2, .bound = 0.09};
  return certificate;
}

cascade::Attempt attempt_of(const std::string& model, double margin) {
  cascade::Attempt attempt;
  attempt.answered = true;
  attempt.origin = {model, "Q4_1", "engine 1", "greedy"};
  attempt.evidence.set("margin_mean", margin);
  attempt.evidence.set("logprob_mean", std::log(0.9));
  return attempt;
}

class CalibratedEstimatorTest : public testing::Test {
 protected:
  CalibratedEstimatorTest()
      : folder_(fs::temp_directory_path() / ("tinyarms_estimator_" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~CalibratedEstimatorTest() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return sha256_hex(text);
  }
  CalibratedEstimator load(bool allow_foreign = false) {
    notices_.clear();
    return CalibratedEstimator::load({folder_.string()}, allow_foreign, notices_);
  }

  fs::path folder_;
  std::vector<std::string> notices_;
};

TEST_F(CalibratedEstimatorTest, GroupThenPooled) {
  write("calibrator-l2.json", calibrators_json(set_for("m1")));
  const CalibratedEstimator estimator = load();
  EXPECT_TRUE(notices_.empty());
  cascade::Attempt attempt = attempt_of("m1", 0.5);
  const auto pooled = estimator.estimate(Level::L2, attempt);
  EXPECT_TRUE(pooled.calibrated);
  EXPECT_FALSE(pooled.certified);
  EXPECT_NEAR(pooled.value, 1 / (1 + std::exp(-0.5)), 1e-12);
  EXPECT_THAT(pooled.formula, HasSubstr("platt over margin_mean, pooled"));
  attempt.group = "maths";
  const auto own = estimator.estimate(Level::L2, attempt);
  EXPECT_NEAR(own.value, 1 / (1 + std::exp(1.5)), 1e-12);
  EXPECT_THAT(own.formula, HasSubstr("of group maths"));
  attempt.evidence = {};
  EXPECT_EQ(estimator.estimate(Level::L2, attempt).value, 0.25);  // not measured
}

TEST_F(CalibratedEstimatorTest, AnotherSetUpIsRefusedUnlessAllowed) {
  write("calibrator-l2.json", calibrators_json(set_for("m1")));
  const auto refused = load().estimate(Level::L2, attempt_of("m2", 0.5));
  EXPECT_FALSE(refused.calibrated);
  EXPECT_NEAR(refused.value, 0.9, 1e-12);
  EXPECT_THAT(refused.formula, HasSubstr("the model is `m2`, fitted under `m1`"));
  const auto allowed = load(true).estimate(Level::L2, attempt_of("m2", 0.5));
  EXPECT_TRUE(allowed.calibrated);
  EXPECT_THAT(allowed.formula, HasSubstr("by permission although"));
  for (auto change : {&cascade::Origin::quantization, &cascade::Origin::engine,
                      &cascade::Origin::sampler}) {
    cascade::Attempt attempt = attempt_of("m1", 0.5);
    attempt.origin.*change = "other";
    EXPECT_FALSE(load().estimate(Level::L2, attempt).calibrated);
  }
}

TEST_F(CalibratedEstimatorTest, OfSeveralTheOneThatFitsServes) {
  write("calibrator-a.json", calibrators_json(set_for("m1")));
  auto other = set_for("m2");
  other.pooled = platt(3);
  write("calibrator-b.json", calibrators_json(other));
  for (const bool allow : {false, true}) {
    const auto confidence = load(allow).estimate(Level::L2, attempt_of("m2", 0));
    EXPECT_NEAR(confidence.value, 1 / (1 + std::exp(-3)), 1e-12);
  }
  const auto missing = load().estimate(Level::L3, attempt_of("m1", 0));
  EXPECT_FALSE(missing.calibrated);
  EXPECT_THAT(missing.formula, HasSubstr("there is no calibrator for l3"));
}

TEST_F(CalibratedEstimatorTest, ACertificateHoldsOnlyForWhatItIsBoundTo) {
  const std::string hash = write("certificate-l2.json",
                                 certificate_json(certificate_for("m1", "margin_mean")));
  CalibratedEstimator estimator = load();
  ASSERT_TRUE(notices_.empty()) << notices_[0];
  const auto covered = estimator.estimate(Level::L2, attempt_of("m1", 0.7));
  EXPECT_TRUE(covered.certified);
  EXPECT_FALSE(covered.calibrated);  // a promise about a raw signal makes it no probability
  EXPECT_THAT(covered.certificate, HasSubstr("wrong at most 10 %, with confidence 95 %"));
  EXPECT_EQ(estimator.covering(Level::L2, attempt_of("m1", 0.7)), hash);

  EXPECT_FALSE(estimator.estimate(Level::L2, attempt_of("m1", 0.5)).certified);
  EXPECT_EQ(estimator.covering(Level::L2, attempt_of("m1", 0.5)), "");
  const auto changed = estimator.estimate(Level::L2, attempt_of("m2", 0.7));
  EXPECT_FALSE(changed.certified);
  EXPECT_THAT(changed.certificate, HasSubstr("model changed from m1 to m2"));
  EXPECT_FALSE(estimator.estimate(Level::L3, attempt_of("m1", 0.7)).certified);

  estimator.certificates()[0].revoked = "drift";
  const auto revoked = estimator.estimate(Level::L2, attempt_of("m1", 0.7));
  EXPECT_FALSE(revoked.certified);
  EXPECT_THAT(revoked.certificate, HasSubstr("void: drift"));
}

TEST_F(CalibratedEstimatorTest, ACertificateOnProbabilitiesIsBoundToTheCalibrator) {
  const std::string text = calibrators_json(set_for("m1"));
  const std::string hash = write("calibrator-l2.json", text);
  auto certificate = certificate_for("m1", "confidence");
  certificate.hashes["calibrator"] = hash;
  write("certificate-l2.json", certificate_json(certificate));
  EXPECT_TRUE(load().estimate(Level::L2, attempt_of("m1", 2)).certified);
  auto refitted = set_for("m1");
  refitted.pooled = platt(0.1);
  write("calibrator-l2.json", calibrators_json(refitted));
  const auto confidence = load().estimate(Level::L2, attempt_of("m1", 2));
  EXPECT_TRUE(confidence.calibrated);
  EXPECT_FALSE(confidence.certified);
  EXPECT_THAT(confidence.certificate, HasSubstr("calibrator changed"));
}

TEST_F(CalibratedEstimatorTest, DoubtIsTurnedRound) {
  auto certificate = certificate_for("m1", "-margin_mean");
  certificate.pooled->threshold = -0.2;
  write("certificate-l2.json", certificate_json(certificate));
  EXPECT_TRUE(load().estimate(Level::L2, attempt_of("m1", 0.1)).certified);
  EXPECT_FALSE(load().estimate(Level::L2, attempt_of("m1", 0.3)).certified);
}

TEST_F(CalibratedEstimatorTest, WhatCannotBeReadIsToldAndLeftOut) {
  write("calibrator-l2.json", "{}");
  write("certificate-l2.json", "{\"format\": \"tinyarms-certificate\"}");
  write("notes.json", "not ours");
  const CalibratedEstimator estimator = load();
  EXPECT_EQ(notices_.size(), 2u);
  EXPECT_TRUE(estimator.empty());
  EXPECT_FALSE(estimator.estimate(Level::L2, attempt_of("m1", 0.5)).calibrated);
  std::vector<std::string> notices;
  (void)CalibratedEstimator::load({"/nowhere"}, false, notices);
  EXPECT_EQ(notices.size(), 1u);
}

TEST_F(CalibratedEstimatorTest, RulesAndMemoriesKeepTheirFormula) {
  write("calibrator-l2.json", calibrators_json(set_for("m1")));
  cascade::Attempt exact;
  exact.evidence.set("exact", true);
  EXPECT_EQ(load().estimate(Level::L0, exact).value, 1);
}

TEST_F(CalibratedEstimatorTest, JitterIsAGuardBandUnderTheSameModelAndEngine) {
  calibration::JitterFile jitter;
  jitter.identity = {"m1", "Q4_1", "engine 1", "greedy"};
  jitter.signals["margin_mean"] = {.mean = 0.1, .q95 = 0.2, .most = 0.3};
  write("jitter-m1.json", jitter_json(jitter));
  write("calibrator-l2.json", calibrators_json(set_for("m1")));
  write("certificate-l2.json", certificate_json(certificate_for("m1", "margin_mean")));
  const CalibratedEstimator estimator = load();
  EXPECT_EQ(notices_.size(), 0u);
  const auto at = [&](const std::string& model, double margin) {
    return estimator.estimate(Level::L2, attempt_of(model, margin));
  };
  const double sigma = 1 / (1 + std::exp(-0.5));
  EXPECT_NEAR(at("m1", 0.5).band, sigma - 1 / (1 + std::exp(-0.3)), 1e-9);
  EXPECT_EQ(at("m2", 0.5).band, 0);
  EXPECT_FALSE(at("m1", 0.7).certified);  // 0.6 is certified, and 0.7 may be 0.5 elsewhere
  EXPECT_TRUE(at("m1", 0.85).certified);
}

TEST_F(CalibratedEstimatorTest, EarlyAbortIsBoundToEverythingItWasFittedUnder) {
  calibration::EarlyAbortFile file;
  file.tier = "l2";
  file.identity = set_for("m1").identity;
  file.calibrator = write("calibrator-l2.json", calibrators_json(set_for("m1")));
  file.kept_from = 0.4;
  file.fit = {.test = {calibration::MarginTest::Kind::Window, 8, 200},
              .target = {.lost_max = 0.05, .confidence = 0.95},
              .watched = 300,
              .stopped = 100,
              .lost = 0,
              .bound = 0.05};
  const cascade::Origin origin = attempt_of("m1", 0).origin;
  EXPECT_FALSE(load().early_abort(Level::L2, origin, 0.5).test);  // never on unless fitted
  EXPECT_EQ(load().early_abort(Level::L2, origin, 0.5).explanation, "");

  write("early-abort-l2.json", early_abort_json(file));
  for (const bool allow : {false, true}) {
    const CalibratedEstimator estimator = load(allow);
    EXPECT_TRUE(notices_.empty());
    const auto watch = estimator.early_abort(Level::L2, origin, 0.4);
    EXPECT_EQ(watch.test, file.fit.test);
    EXPECT_THAT(watch.explanation, HasSubstr("at most 5 % would have been right and kept"));
    EXPECT_FALSE(estimator.early_abort(Level::L3, origin, 0.4).test);
    const auto lax = estimator.early_abort(Level::L2, origin, 0.3);
    EXPECT_FALSE(lax.test);
    EXPECT_THAT(lax.explanation, HasSubstr("kept from 0.3 on here"));
    const auto foreign = estimator.early_abort(Level::L2, attempt_of("m2", 0).origin, 0.5);
    EXPECT_FALSE(foreign.test);
    EXPECT_THAT(foreign.explanation, HasSubstr("the model is `m2`"));
  }
  auto other = set_for("m1");
  other.pooled = platt(1);
  write("calibrator-l2.json", calibrators_json(other));
  const auto unbound = load().early_abort(Level::L2, origin, 0.5);
  EXPECT_FALSE(unbound.test);
  EXPECT_THAT(unbound.explanation, HasSubstr("not the one in use"));

  write("early-abort-l2.json", "{\"format\": \"tinyarms-early-abort\", \"version\": 1}");
  EXPECT_FALSE(load().early_abort(Level::L2, origin, 0.5).test);
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_THAT(notices_[0], HasSubstr("early abort left out"));
}

}  // namespace
}  // namespace tinyarms::service
