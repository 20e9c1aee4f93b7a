#include "calibration/signal_worth.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "calibration/group_ranking.h"
#include "calibration/random.h"

namespace tinyarms::calibration {
namespace {

const std::vector<double> kOnce(6, 1);

TEST(GroupRanking, CountsPairsAndHalvesTies) {
  const std::vector<double> scores = {1, 2, 2, 3, 5, NAN};
  const std::vector<double> right = {0, 0, 1, 1, 0, 1};
  const std::vector<uint32_t> groups(6, 0);
  // Right 2 and 3 against wrong 1, 2, 5: 1 + ½ + 0 and 1 + 1 + 0 of six; the row without a score
  // takes no part.
  EXPECT_DOUBLE_EQ(GroupRanking(scores, right, groups).overall(kOnce), 3.5 / 6);
}

TEST(GroupRanking, WithinGroupsSeesNoDifferenceBetweenThem) {
  // The score only tells the easy group from the hard one.
  const std::vector<double> scores = {9, 9, 9, 1, 1, 1};
  const std::vector<double> right = {1, 1, 0, 0, 0, 1};
  const std::vector<uint32_t> groups = {0, 0, 0, 1, 1, 1};
  const GroupRanking ranking(scores, right, groups);
  EXPECT_GT(ranking.overall(kOnce), 0.6);
  EXPECT_DOUBLE_EQ(ranking.within(kOnce), 0.5);
}

TEST(GroupRanking, AWeightIsASecondRow) {
  const std::vector<uint32_t> groups(6, 0);
  const std::vector<double> weights = {2, 0, 1, 1, 1, 0};
  const std::vector<double> scores = {1, 2, 3, 4, 5, 6};
  const std::vector<double> right = {0, 1, 1, 0, 1, 1};
  const std::vector<double> repeated_scores = {1, 1, 3, 4, 5};
  const std::vector<double> repeated_right = {0, 0, 1, 0, 1};
  const std::vector<uint32_t> five(5, 0);
  EXPECT_DOUBLE_EQ(
      GroupRanking(scores, right, groups).overall(weights),
      GroupRanking(repeated_scores, repeated_right, five).overall(std::vector<double>(5, 1)));
  EXPECT_TRUE(std::isnan(GroupRanking(scores, std::vector<double>(6, 1), groups).overall(kOnce)));
}

// Two signals that each know half of the story, one that is turned, and noise.
class WorthTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "worth-" + std::to_string(::getpid()) + ".jsonl";
    Random random(7);
    std::ofstream file(path_);
    for (int i = 0; i < 800; ++i) {
      const double a = random.uniform();
      const double b = random.uniform();
      const bool right = random.uniform() < 0.5 * a + 0.5 * b;
      file << fmt::format(
          R"({{"id":"{}","group":"{}","tiers":[{{"name":"s","correct":{},"cost":1,"evidence":)"
          R"({{"margin_mean":{},"other":{},"doubt":{},"noise":{}}}}}]}})"
          "\n",
          i, i % 2, right, a, b, -a, random.uniform());
    }
  }
  void TearDown() override { std::filesystem::remove(path_); }

  WorthRequest request() const {
    WorthRequest request;
    request.files = {path_};
    request.bootstrap.resamples = 200;
    request.combinations = {{"both", {"margin_mean", "other", "not there"}}, {"none", {"x"}}};
    return request;
  }

  std::string path_;
};

TEST_F(WorthTest, TogetherTheyAddWhatEachLacks) {
  auto report = measure_worth(request());
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->records, 800u);
  EXPECT_EQ(report->groups, 2u);
  ASSERT_EQ(report->signals.size(), 4u);
  EXPECT_EQ(report->signals.back().name, "noise");
  for (const SignalWorth& worth : report->signals) {
    EXPECT_EQ(worth.turned && worth.name != "noise", worth.name == "doubt");
    ASSERT_TRUE(worth.auroc.interval);
    EXPECT_LE(worth.auroc.interval->low, worth.auroc.value);
    if (worth.name == "margin_mean" || worth.name == "doubt") {
      EXPECT_EQ(worth.gain.value, 0);
    }
  }
  ASSERT_EQ(report->combinations.size(), 1u);
  const SignalWorth& both = report->combinations[0];
  EXPECT_EQ(both.signals.size(), 2u);
  ASSERT_TRUE(both.gain.interval);
  EXPECT_GT(both.gain.interval->low, 0);
  EXPECT_GT(both.within.value, 0.6);
  EXPECT_EQ(report->notes.size(), 1u);  // of "none"
  EXPECT_NE(worth_text(*report).find("both"), std::string::npos);
}

TEST_F(WorthTest, ABaseThatIsNotThereIsNamed) {
  WorthRequest wrong = request();
  wrong.base = "margin_men";
  auto report = measure_worth(wrong);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().hint.find("margin_mean"), std::string::npos);
}

}  // namespace
}  // namespace tinyarms::calibration
