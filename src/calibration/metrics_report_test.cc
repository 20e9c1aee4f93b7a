#include "calibration/metrics_report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace tinyarms::calibration {
namespace {

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      // ctest runs each test in a process of its own, several at a time.
      : path_(fmt::format("{}records-{}-{}.jsonl", testing::TempDir(), ::getpid(),
                          reinterpret_cast<uintptr_t>(this))) {
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string two_tiers(size_t count) {
  Random random(8);
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    const double p = random.uniform();
    text += fmt::format(
        R"({{"id":"{}","group":"g","prompt":"{}","tiers":[{{"name":"small","correct":{},)"
        R"("cost":1,"evidence":{{"confidence":{},"entropy":{}}}}},)"
        R"({{"name":"large","correct":{},"cost":5}}]}})"
        "\n",
        i, std::string(1 + static_cast<size_t>(100 * (1 - p)), 'x'), random.uniform() < p, p,
        5 - 4 * p, random.uniform() < 0.95);
  }
  return text;
}

Result<MetricsReport> report_on(ScoreRequest scores) {
  MetricsRequest request;
  request.scores = std::move(scores);
  return report_metrics(request);
}

TEST(MetricsReport, WholeWayFromFileToJson) {
  const TemporaryFile file(two_tiers(800));
  auto report = report_on({.files = {file.path()}});
  ASSERT_TRUE(report) << report.error().message();
  const auto json = nlohmann::json::parse(metrics_json(*report));
  EXPECT_EQ(json["score"], "confidence");
  EXPECT_EQ(json["records"], 800);
  EXPECT_NEAR(json["metrics"]["auroc"].get<double>(), 5.0 / 6, 0.04);
  EXPECT_LT(json["metrics"]["ece_equal_mass"].get<double>(), 0.08);
  EXPECT_GT(json["metrics"]["apgr"].get<double>(), 0.6);
  EXPECT_LT(json["intervals"]["apgr"][0], json["metrics"]["apgr"]);
  EXPECT_EQ(json["routing"]["curve"].front()["cost"], 1);
  EXPECT_EQ(json["routing"]["curve"].back()["cost"], 6);
  EXPECT_NE(metrics_text(*report).find("auroc"), std::string::npos);
}

TEST(MetricsReport, DoubtIsTurnedRound) {
  const TemporaryFile file(two_tiers(300));
  const auto sure = report_on({.files = {file.path()}, .score = "confidence"});
  const auto doubt =
      report_on({.files = {file.path()}, .score = "entropy", .lower_is_better = true});
  ASSERT_TRUE(sure && doubt);
  EXPECT_NEAR(sure->values[Metric::Auroc], doubt->values[Metric::Auroc], 1e-12);
  EXPECT_TRUE(std::isnan(doubt->values[Metric::Brier]));
  EXPECT_EQ(nlohmann::json::parse(metrics_json(*doubt))["metrics"]["brier"], nullptr);
}

TEST(MetricsReport, PromptLengthNeedsNoEvidence) {
  const TemporaryFile file(two_tiers(300));
  const auto report = report_on({.files = {file.path()}, .score = "prompt_length"});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_GT(*report->routing->summary.apgr, 0.6);
  EXPECT_EQ(report->routing->curve.back().cost, 5);  // a router pays one tier
}

TEST(MetricsReport, UnknownNamesAreErrorsThatNameTheKnown) {
  const TemporaryFile file(two_tiers(10));
  const auto score = report_on({.files = {file.path()}, .score = "confidense"});
  ASSERT_FALSE(score);
  EXPECT_NE(score.error().hint.find("`confidence`"), std::string::npos);
  const auto tier = report_on({.files = {file.path()}, .tier = "medium"});
  ASSERT_FALSE(tier);
  EXPECT_NE(tier.error().hint.find("large"), std::string::npos);
  EXPECT_FALSE(report_on({.files = {file.path()}, .tier = "large"}));  // no score there
}

TEST(MetricsReport, OneClassAndOneRow) {
  const TemporaryFile file(R"({"id":1,"tiers":[{"name":"s","correct":1,"cost":1,)"
                           R"("evidence":{"m":0.5}}]})");
  const auto report = report_on({.files = {file.path()}});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_FALSE(report->routing);
  EXPECT_EQ(report->notes.size(), 2u);
  EXPECT_EQ(nlohmann::json::parse(metrics_json(*report))["metrics"]["auroc"], nullptr);
}

TEST(MetricsReport, EmptyFilesAndOtherTiersAreErrors) {
  const TemporaryFile empty("");
  EXPECT_EQ(report_on({.files = {empty.path()}}).error().code, ErrorCode::InvalidArgument);
  const TemporaryFile mixed(R"({"id":1,"tiers":[{"name":"s","correct":1,"cost":1}]})"
                            "\n"
                            R"({"id":2,"tiers":[{"name":"t","correct":1,"cost":1}]})");
  const auto report = report_on({.files = {mixed.path()}});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().where, mixed.path() + ":2");
}

TEST(Dataset, BenchRecordsOfOneIdAreOneRow) {
  std::string text;
  for (const char* tier : {"l3", "l2"}) {
    for (int i = 0; i < 4; ++i) {
      text += fmt::format(R"({{"id":"{}","tier":"{}","correct":{},"seconds":{},"evidence":)"
                          R"({{"m":{}}}}})"
                          "\n",
                          i, tier, i % 2 == 0, 1 + i, i);
    }
  }
  const TemporaryFile file(text + R"({"id":"x","tier":"l2","correct":true,"seconds":1})");
  const auto data = load_dataset({file.path()}, {});
  ASSERT_TRUE(data) << data.error().message();
  EXPECT_EQ(data->rows(), 5u);
  ASSERT_EQ(data->tiers.size(), 2u);
  EXPECT_EQ(data->tiers[0].name, "l2");
  EXPECT_EQ(data->tiers[1].labels[4], Label::Absent);
  EXPECT_TRUE(std::isnan(data->tiers[0].find("m")->values[4]));
  EXPECT_EQ(data->tiers[0].find("m")->values[3], 3);
}

TEST(PromptFeatures, CountCharactersNotBytes) {
  EXPECT_EQ(prompt_features("éé").at(0), 2);
  EXPECT_EQ(prompt_features("").at(0), 0);
  EXPECT_NEAR(prompt_features("two words 12?").at(3), std::log1p(2.0), 1e-6);
}

}  // namespace
}  // namespace tinyarms::calibration
