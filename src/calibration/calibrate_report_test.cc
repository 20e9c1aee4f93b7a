#include "calibration/calibrate_report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace tinyarms::calibration {
namespace {

// Three tiers; the first two show a margin that tells how likely they are right.
class CalibrateRecords : public testing::Test {
 protected:
  void SetUp() override {
    // ctest runs each test in a process of its own, several at a time.
    path_ = testing::TempDir() + "calibrate-records-" + std::to_string(::getpid()) + ".jsonl";
    write(600);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  void write(size_t count, bool one_class = false) {
    Random random(31);
    std::ofstream file(path_);
    for (size_t i = 0; i < count; ++i) {
      const double ease = random.uniform();
      const bool small = one_class || random.uniform() < ease;
      const bool middle = one_class || random.uniform() < std::sqrt(ease);
      file << fmt::format(
          R"({{"id":"{}","group":"{}","prompt":"{}","tiers":[)"
          R"({{"name":"s","correct":{},"cost":1,"evidence":{{"margin":{},"noise":{}}}}},)"
          R"({{"name":"m","correct":{},"cost":4,"evidence":{{"margin":{}}}}},)"
          R"({{"name":"l","correct":{},"cost":16}}]}})"
          "\n",
          i, ease > 0.5 ? "easy" : "hard", std::string(5 + static_cast<size_t>(40 * ease), 'x'),
          small, ease * ease, random.uniform(), middle, ease, random.uniform() < 0.95);
    }
  }

  Result<CalibrateReport> run(const std::string& target) {
    CalibrateRequest request;
    request.files = {path_};
    request.bootstrap.resamples = 100;
    if (auto parsed = parse_target(target, request); !parsed) return parsed.error();
    return calibrate(request);
  }

  std::string path_;
};

const Baseline& named(const CalibrateReport& report, const std::string& name) {
  for (const Baseline& baseline : report.baselines) {
    if (baseline.name == name) return baseline;
  }
  ADD_FAILURE() << "no baseline " << name;
  return report.baselines.front();
}

TEST_F(CalibrateRecords, TargetIsReachedCheaperThanByChance) {
  const auto report = run("accuracy=0.85");
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->choice.feasible);
  EXPECT_GE(report->choice.plan.accuracy, 0.85);
  EXPECT_LT(report->choice.plan.cost, 14);
  EXPECT_NEAR(report->cross_checked.accuracy, 0.85, 0.06);
  EXPECT_GT(report->choice.plan.accuracy, named(*report, "random").accuracy);
  EXPECT_NEAR(*named(*report, "random").summary.apgr, 0.5, 1e-9);
  EXPECT_GT(*named(*report, "perfect_detector").summary.apgr, 0.6);
  EXPECT_GE(named(*report, "oracle").accuracy, named(*report, "best_fixed").accuracy);
  EXPECT_NEAR(named(*report, "always_small").cost, 1, 1e-9);
  EXPECT_NEAR(named(*report, "always_large").cost, 16, 1e-9);
  named(*report, "prompt_features");
  named(*report, "group_prior");
  const auto json = nlohmann::json::parse(calibrate_json(*report));
  EXPECT_TRUE(json["feasible"]);
  EXPECT_EQ(json["plan"]["thresholds"].size(), 2u);
  EXPECT_EQ(json["calibrators"][0]["tier"], "s");
  EXPECT_NE(calibrate_text(*report).find("oracle"), std::string::npos);
}

TEST_F(CalibrateRecords, InfeasibleGivesTheBestReachable) {
  const auto report = run("accuracy=0.999");
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_FALSE(report->choice.feasible);
  EXPECT_GE(report->choice.plan.accuracy, named(*report, "always_large").accuracy - 1e-9);
}

TEST_F(CalibrateRecords, CostTargetsInUnitsAndShares) {
  const auto units = run("cost=8");
  const auto share = run("cost=50%");
  ASSERT_TRUE(units && share);
  EXPECT_LE(units->choice.plan.cost, 8);
  EXPECT_EQ(units->choice.plan.thresholds, share->choice.plan.thresholds);
  EXPECT_FALSE(run("cost=0.5")->choice.feasible);
}

TEST_F(CalibrateRecords, RiskTargetIsTested) {
  CalibrateRequest request;
  request.files = {path_};
  request.bootstrap.resamples = 50;
  request.target = {TargetKind::MaxRisk, 0.15, 0.9};
  const auto report = calibrate(request);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->choice.feasible);
  EXPECT_LE(report->choice.risk_bound, 0.15);
  request.target.value = 0.001;
  EXPECT_FALSE(calibrate(request)->choice.feasible);
}

TEST_F(CalibrateRecords, SwapCostsMakeATierDearer) {
  CalibrateRequest request;
  request.files = {path_};
  request.bootstrap.resamples = 50;
  ASSERT_TRUE(parse_target("accuracy=0.8", request));
  const double before = calibrate(request)->choice.plan.cost;
  request.swap_cost["l"] = 50;
  EXPECT_GT(calibrate(request)->choice.plan.cost, before);
  request.swap_cost["xl"] = 1;
  EXPECT_FALSE(calibrate(request));
}

TEST_F(CalibrateRecords, OneClassAndOneTierAreTypedErrors) {
  write(50, true);
  const auto one_class = run("accuracy=0.8");
  ASSERT_FALSE(one_class);
  EXPECT_EQ(one_class.error().code, ErrorCode::InvalidArgument);
  EXPECT_NE(one_class.error().what.find("all 50 answers are right"), std::string::npos);
  std::ofstream(path_) << R"({"id":1,"tiers":[{"name":"s","correct":1,"cost":1}]})";
  EXPECT_NE(run("accuracy=0.8").error().what.find("one tier"), std::string::npos);
  std::ofstream(path_) << R"({"id":1,"tiers":[{"name":"s","correct":1,"cost":1,)"
                          R"("evidence":{"m":1}},{"name":"l","correct":1,"cost":2}]})";
  EXPECT_FALSE(run("accuracy=0.8"));
}

TEST(ParseTarget, OnlyWhatMakesSense) {
  CalibrateRequest request;
  for (const char* bad : {"", "accuracy", "accuracy=", "accuracy=2", "accuracy=-1", "cost=0",
                          "cost=nan", "cost=inf", "cost=1x", "speed=3", "accuracy=0.5x"}) {
    EXPECT_FALSE(parse_target(bad, request)) << bad;
  }
  EXPECT_TRUE(parse_target("cost=40%", request));
  EXPECT_TRUE(request.cost_is_share);
  EXPECT_NEAR(request.target.value, 0.4, 1e-12);
}

TEST_F(CalibrateRecords, WithoutEvidenceTheQuestionIsAllThereIs) {
  {
    std::ofstream file(path_);
    Random random(5);
    for (size_t i = 0; i < 400; ++i) {
      const size_t length = 5 + random.below(60);
      const bool small = random.uniform() * 65 > static_cast<double>(length);
      file << fmt::format(R"({{"id":"{}","prompt":"{}","tiers":[)"
                          R"({{"name":"s","correct":{},"cost":1}},)"
                          R"({{"name":"l","correct":true,"cost":9}}]}})"
                          "\n",
                          i, std::string(length, 'x'), small);
    }
  }
  auto report = run("cost=50%");
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->by_prompt);
  EXPECT_EQ(report->notes.size(), 1u);
  EXPECT_GT(named(*report, "prompt_length").summary.apgr.value_or(0), 0.6);
  EXPECT_NEAR(named(*report, "random").summary.apgr.value_or(0), 0.5, 1e-9);
  EXPECT_GT(named(*report, "prompt_length").points.size(), 10u);
}

}  // namespace
}  // namespace tinyarms::calibration
