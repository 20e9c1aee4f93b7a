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

// Always with a picked l2; fails where nothing fits.
Pick l2_of(const RecommendQuestion& question, const OwnFigures& own) {
  const auto found = recommend(load_catalogue(""), question, own);
  if (!found) {
    ADD_FAILURE() << found.error().message();
    return {};
  }
  for (const Pick& pick : found->picks) {
    if (pick.tier == "l2") return pick;
  }
  ADD_FAILURE() << "no l2";
  return {};
}

TEST(RecommendMeasured, OwnOutcomesOutrankThePublishedOnes) {
  const RecommendQuestion question{.ram_bytes = 8 * kGigabyte, .offline = true};
  const Pick before = l2_of(question, {});
  EXPECT_THAT(before.basis, testing::StartsWith("prior: "));
  EXPECT_EQ(before.items, 0u);
  const NamedFile file{before.model, before.quantisation};
  const Pick better = l2_of(question, {.speeds = {}, .outcomes = {{file, {200, 200}}}});
  EXPECT_EQ(better.model, before.model);
  EXPECT_EQ(better.basis, "measured (n = 200)");
  EXPECT_EQ(better.items, 200u);
  EXPECT_NEAR(better.score, (50 * before.score + 100 * 200) / 250, 1e-9);
  EXPECT_THAT(better.reason, HasSubstr("measured (n = 200)"));
  // All wrong: it is not asked first any more, at least not in that type.
  const Pick worse = l2_of(question, {.speeds = {}, .outcomes = {{file, {0, 2000}}}});
  EXPECT_NE(NamedFile(worse.model, worse.quantisation), file);
}

TEST(RecommendMeasured, OwnSpeedTakesThePlaceOfTheAssumedOne) {
  const RecommendQuestion question{.ram_bytes = 8 * kGigabyte, .offline = true};
  const Pick before = l2_of(question, {});
  EXPECT_FALSE(before.seconds_measured);
  const NamedFile file{before.model, before.quantisation};
  // Never wrong: nothing else is asked first.
  const OwnFigures own{.speeds = {{file, {.prompt_tokens_rate = 128,
                                          .answer_tokens_rate = 32,
                                          .load_seconds = 1}}},
                       .outcomes = {{file, {100'000, 100'000}}}};
  RecommendQuestion patient = question;
  patient.l2_seconds_max = 4;  // exactly what it takes
  const auto found = recommend(load_catalogue(""), patient, own);
  ASSERT_TRUE(found);
  const Pick pick = l2_of(patient, own);
  EXPECT_EQ(NamedFile(pick.model, pick.quantisation), file);
  EXPECT_TRUE(pick.seconds_measured);
  EXPECT_DOUBLE_EQ(pick.seconds, 4);
  // Of the others, the rate at which it read its bytes.
  const Catalogue catalogue = load_catalogue("");
  const CatalogueModel* model = *catalogue.find(before.model);
  ASSERT_TRUE(found->bytes_rate);
  EXPECT_DOUBLE_EQ(*found->bytes_rate, 32 * active_bytes(*model, *model->file(file.second)));
  EXPECT_FALSE(recommend(catalogue, question)->bytes_rate);
  // A crawling machine leaves nothing that answers in time.
  const OwnFigures slow{.speeds = {{file, {1, 0.01, 1}}}, .outcomes = {}};
  EXPECT_FALSE(recommend(catalogue, patient, slow));
}

TEST(OwnFiguresOfModels, AccuracyShrinksFromThePriorToTheMeasured) {
  EXPECT_DOUBLE_EQ(shrunk_accuracy(0.6, {0, 0}), 0.6);
  // As many of one's own as the prior counts for: half way.
  EXPECT_DOUBLE_EQ(shrunk_accuracy(0.6, {50, 50}), 0.8);
  EXPECT_NEAR(shrunk_accuracy(0.6, {10'000, 100'000}), 0.1, 1e-3);
  EXPECT_DOUBLE_EQ(shrunk_accuracy(std::nullopt, {1, 1}), 2.0 / 3);
  for (const double prior : {0.0, 0.25, 1.0}) {
    double before = prior;
    for (uint64_t items = 1; items <= 1000; items *= 3) {
      const double all_right = shrunk_accuracy(prior, {items, items});
      const double all_wrong = shrunk_accuracy(prior, {0, items});
      EXPECT_GE(all_right, before);
      EXPECT_LE(all_wrong, prior);
      EXPECT_LE(all_right, 1);
      EXPECT_GE(all_wrong, 0);
      // Between the two it is made of.
      const double half = shrunk_accuracy(prior, {items, 2 * items});
      EXPECT_GE(half, std::min(prior, 0.5));
      EXPECT_LE(half, std::max(prior, 0.5));
      before = all_right;
    }
  }
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
