#include "advice/recommend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advice/size_prior.h"

namespace tinyarms::advice {
namespace {

using testing::HasSubstr;

std::string reason_for(const Recommendation& found, std::string_view model) {
  for (const Rejection& rejection : found.rejected) {
    if (rejection.model == model) return rejection.reason;
  }
  return "";
}

Recommendation ask(const RecommendQuestion& question) {
  auto found = recommend(load_catalogue(""), question);
  if (!found) ADD_FAILURE() << found.error().message();
  return found ? *found : Recommendation{};
}

constexpr uint64_t kGigabyte = 1'000'000'000;

TEST(Recommend, KeepsTheLimitsAndGivesAReasonForEverything) {
  for (const uint64_t ram : {4, 8, 16, 24, 64}) {
    const Recommendation found =
        ask({.ram_bytes = ram * kGigabyte, .commercial = true, .offline = true});
    EXPECT_LE(found.assignment.bytes, found.free_bytes);
    EXPECT_EQ(found.free_bytes, static_cast<uint64_t>(0.6 * static_cast<double>(ram * kGigabyte)));
    ASSERT_FALSE(found.picks.empty());
    for (const Pick& pick : found.picks) {
      EXPECT_FALSE(pick.reason.empty()) << pick.model;
      EXPECT_FALSE(pick.basis.empty()) << pick.model;
      EXPECT_NE(pick.tier, "l4");
      EXPECT_NE(pick.model, "qwen2.5-coder-3b");
    }
    for (const Rejection& rejection : found.rejected) EXPECT_FALSE(rejection.reason.empty());
    EXPECT_THAT(reason_for(found, "qwen2.5-coder-3b"), HasSubstr("forbids commercial use"));
    EXPECT_THAT(reason_for(found, "stablelm-zephyr-3b"), HasSubstr("is not known"));
    EXPECT_THAT(reason_for(found, "gpt-5"), HasSubstr("remote"));
    ASSERT_FALSE(found.pareto.empty());
    EXPECT_DOUBLE_EQ(found.pareto.front().assignment.accuracy, found.assignment.accuracy);
  }
}

TEST(Recommend, MoreMemoryIsNeverWorse) {
  double before = 0;
  for (const uint64_t ram : {2, 4, 8, 16, 24, 64}) {
    const double accuracy = ask({.ram_bytes = ram * kGigabyte}).assignment.accuracy;
    EXPECT_GE(accuracy, before) << ram;
    before = accuracy;
  }
}

TEST(Recommend, SaysWhatDoesNotFitWithBothNumbers) {
  const Recommendation found = ask({.ram_bytes = 4 * kGigabyte, .offline = true});
  EXPECT_THAT(reason_for(found, "qwen2.5-coder-7b"),
              testing::MatchesRegex("Q4_K_M needs 5\\.[0-9] GB, 2\\.4 GB are free"));
  const auto nothing = recommend(load_catalogue(""), {.ram_bytes = 100'000'000});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::OverBudget);
  EXPECT_THAT(nothing.error().what, HasSubstr("0.1 GB are free"));
}

TEST(Recommend, HoldsLatenciesAndLanguages) {
  const Recommendation quick =
      ask({.ram_bytes = 64 * kGigabyte, .offline = true, .l2_seconds_max = 3.0});
  for (const Pick& pick : quick.picks) {
    if (pick.tier == "l2") {
      EXPECT_LE(pick.seconds, 3.0);
    }
  }
  const Recommendation german =
      ask({.ram_bytes = 16 * kGigabyte, .task = Role::General, .languages = {"en", "de"}});
  const Catalogue catalogue = load_catalogue("");
  for (const Pick& pick : german.picks) {
    const auto model = catalogue.find(pick.model);
    ASSERT_TRUE(model);
    EXPECT_THAT((*model)->languages, testing::AnyOf(testing::Contains("de"),
                                                    testing::Contains("*")));
  }
  EXPECT_EQ(german.picks.back().tier, "l4");  // not offline
  const auto none = recommend(catalogue, {.ram_bytes = 16 * kGigabyte, .languages = {"tlh"}});
  EXPECT_FALSE(none);
  EXPECT_FALSE(recommend(catalogue, {.ram_bytes = kGigabyte, .task = Role::Embedding}));
}

TEST(SizePriorOfScores, GrowsWithSizeAndNeedsEnoughToGoBy) {
  const Catalogue catalogue = load_catalogue("");
  const auto prior = SizePrior::fit(catalogue, "HumanEval");
  ASSERT_TRUE(prior);
  EXPECT_GE(prior->models(), 10);
  EXPECT_LT(prior->score(500'000'000), prior->score(7'000'000'000));
  EXPECT_LE(prior->score(1'000'000'000'000), 95);
  EXPECT_GE(prior->score(1), 1);
  EXPECT_FALSE(SizePrior::fit(catalogue, "MATH"));
}

}  // namespace
}  // namespace tinyarms::advice
