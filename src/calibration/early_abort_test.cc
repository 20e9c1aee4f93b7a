#include "calibration/early_abort.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calibration/random.h"

namespace tinyarms::calibration {
namespace {

using testing::HasSubstr;

struct Population {
  size_t answers = 1000;
  double doomed = 0.5;          // share of answers that go wrong
  double right_if_doomed = 0;   // of these, right all the same
  bool margins_tell = true;     // doomed answers have low margins from the middle on
  uint64_t seed = 1;
};

// Answers of 60 tokens. A doomed one is doubtful from its 20th token on, where margins tell at all.
std::vector<WatchedAnswer> draw(const Population& population) {
  Random random(population.seed);
  std::vector<WatchedAnswer> answers;
  for (size_t i = 0; i < population.answers; ++i) {
    WatchedAnswer& answer = answers.emplace_back();
    const bool doomed = random.uniform() < population.doomed;
    for (int token = 0; token < 60; ++token) {
      const bool doubtful = population.margins_tell && doomed && token >= 20;
      answer.steps.push_back(static_cast<uint8_t>(random.below(doubtful ? 24 : 64)));
    }
    answer.right = !doomed || random.uniform() < population.right_if_doomed;
    answer.kept = true;
    answer.right_above = random.uniform() < 0.8;
    answer.key = mix64(i + 1 + population.seed * 1000003);
  }
  return answers;
}

TEST(EarlyAbortTest, FindsThePlantedHazardAndSavesItsTokens) {
  const auto answers = draw({.right_if_doomed = 0.01});
  const EarlyAbortChoice choice = fit_early_abort(answers, {.lost_max = 0.05});
  ASSERT_TRUE(choice.fit) << choice.why_not;
  EXPECT_LE(choice.fit->bound, 0.05);
  const EarlyAbortOutcome outcome = replay_early_abort(answers, choice.fit->test, {});
  EXPECT_EQ(outcome.stopped, choice.fit->stopped);
  EXPECT_EQ(outcome.lost, choice.fit->lost);
  // Half of the answers could be stopped a little after a third of their tokens.
  EXPECT_GT(outcome.stopped, 400u);
  const double saved = static_cast<double>(outcome.saved) / static_cast<double>(outcome.tokens);
  EXPECT_GT(saved, 0.15);
  EXPECT_LT(saved, 0.34);
  ASSERT_TRUE(outcome.saved_share);
  EXPECT_LT(outcome.saved_share->low, saved);
  EXPECT_GT(outcome.saved_share->high, saved);
  // Wrong answers that the tiers above get right mostly.
  EXPECT_GT(outcome.accuracy_after, outcome.accuracy_before + 0.2);
}

// On fresh answers the promise holds but for the δ that it may fail by.
TEST(EarlyAbortTest, ThePromiseHoldsOnAnswersNeverSeen) {
  size_t broken = 0;
  size_t fitted = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const Population population{.answers = 400, .right_if_doomed = 0.04, .seed = seed};
    const EarlyAbortChoice choice =
        fit_early_abort(draw(population), {.lost_max = 0.12, .confidence = 0.9});
    if (!choice.fit) continue;
    ++fitted;
    Population fresh = population;
    fresh.answers = 4000;
    fresh.seed = seed + 1000;
    const EarlyAbortOutcome outcome = replay_early_abort(draw(fresh), choice.fit->test,
                                                         {.resamples = 1});
    const double lost = static_cast<double>(outcome.lost) / static_cast<double>(outcome.stopped);
    broken += lost > 0.12 ? 1 : 0;
  }
  EXPECT_GT(fitted, 10u);
  EXPECT_LE(broken, fitted / 10) << "of " << fitted;
}

TEST(EarlyAbortTest, RefusesWhereMarginsMeanNothing) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const EarlyAbortChoice choice =
        fit_early_abort(draw({.margins_tell = false, .seed = seed}), {.lost_max = 0.05});
    EXPECT_FALSE(choice.fit) << "seed " << seed;
    EXPECT_THAT(choice.why_not, HasSubstr("no test stops drafts"));
  }
}

TEST(EarlyAbortTest, RefusesWhereTheTierIsNotWorthAsking) {
  const EarlyAbortChoice choice = fit_early_abort(draw({.doomed = 0.99}), {.lost_max = 0.05});
  EXPECT_FALSE(choice.fit);
  EXPECT_THAT(choice.why_not, HasSubstr("not worth asking"));
}

TEST(EarlyAbortTest, RefusesFewRecordsAndNone) {
  EXPECT_THAT(fit_early_abort(draw({.answers = 40}), {.lost_max = 0.05}).why_not,
              HasSubstr("as far as 40 drafts"));
  EXPECT_THAT(fit_early_abort({}, {}).why_not, HasSubstr("margin_trace"));
  std::vector<WatchedAnswer> chosen(100);  // options picked by likelihood: nothing was decoded
  EXPECT_THAT(fit_early_abort(chosen, {}).why_not, HasSubstr("margin_trace"));
}

TEST(EarlyAbortTest, WhatIsNotKeptAnywayIsNotLost) {
  auto answers = draw({.right_if_doomed = 0.5});
  EXPECT_FALSE(fit_early_abort(answers, {.lost_max = 0.05}).fit);
  for (WatchedAnswer& answer : answers) {
    answer.kept = answer.steps[30] + answer.steps[40] + answer.steps[50] > 72;
  }
  EXPECT_TRUE(fit_early_abort(answers, {.lost_max = 0.05}).fit);
}

TEST(EarlyAbortTest, HeldOutFiguresAreOfOtherFolds) {
  const auto answers = draw({.right_if_doomed = 0.01});
  const HeldOutEarlyAbort held_out = held_out_early_abort(answers, {.lost_max = 0.05}, {});
  EXPECT_EQ(held_out.fitted, 5u);
  EXPECT_GT(held_out.outcome.stopped, 350u);
  EXPECT_LT(held_out.outcome.lost_share.low, 0.05);
  // Too few in four folds, though there would be enough in five.
  const auto few = draw({.answers = 60, .right_if_doomed = 0});
  EXPECT_EQ(held_out_early_abort(few, {.lost_max = 0.05}, {}).outcome.stopped, 0u);
}

EarlyAbortFile sample() {
  EarlyAbortFile file;
  file.tier = "l2";
  file.identity = {"abc", "Q4_1", "engine 1", "greedy"};
  file.calibrator = "def";
  file.kept_from = 0.25;
  file.fit = {.test = {MarginTest::Kind::Cusum, 28, 300},
              .target = {.lost_max = 0.05, .confidence = 0.95},
              .watched = 500,
              .stopped = 200,
              .lost = 1,
              .bound = 0.04};
  return file;
}

TEST(EarlyAbortFileTest, ComesBackTheSame) {
  auto again = parse_early_abort(early_abort_json(sample()), "file");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->tier, "l2");
  EXPECT_EQ(again->identity, sample().identity);
  EXPECT_EQ(again->calibrator, "def");
  EXPECT_EQ(again->kept_from, 0.25);
  EXPECT_EQ(again->fit.test, sample().fit.test);
  EXPECT_EQ(again->fit.stopped, 200u);
  EXPECT_EQ(early_abort_json(*again), early_abort_json(sample()));
}

TEST(EarlyAbortFileTest, RefusesWhatWasTamperedWith) {
  const std::string good = early_abort_json(sample());
  const auto refusal = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    auto parsed = parse_early_abort(text, "early-abort-l2.json");
    return parsed ? std::string("none") : parsed.error().message();
  };
  EXPECT_THAT(refusal("\"lost\": 1", "\"lost\": 100"), HasSubstr("bear it out"));
  EXPECT_THAT(refusal("\"bound\": 0.04", "\"bound\": 0.4"), HasSubstr("bear it out"));
  EXPECT_THAT(refusal("\"stopped\": 200", "\"stopped\": 600"), HasSubstr("bear it out"));
  EXPECT_THAT(refusal("\"boundary\": 300", "\"boundary\": 0"), HasSubstr("test.boundary"));
  EXPECT_THAT(refusal("\"boundary\": 300", "\"boundary\": 1.5"), HasSubstr("whole number"));
  EXPECT_THAT(refusal("\"parameter\": 28", "\"parameter\": 63"), HasSubstr("test.parameter"));
  EXPECT_THAT(refusal("\"cusum\"", "\"spell\""), HasSubstr("neither window nor cusum"));
  EXPECT_THAT(refusal("\"kept_from\": 0.25", "\"kept_from\": 2"), HasSubstr("file.kept_from"));
  EXPECT_THAT(refusal("\"version\": 1", "\"version\": 2"), HasSubstr("version 1"));
  EXPECT_THAT(refusal("\"watched\": 500", "\"watched\": -5"), HasSubstr("a count is needed"));
  EXPECT_THAT(refusal("tinyarms-early-abort", "else"), HasSubstr("no test for early abort"));
  EXPECT_THAT(refusal("\"calibrator\"", "\"x\""), HasSubstr("`calibrator` is missing"));
  // A window of no tokens would divide by nothing.
  std::string window = good;
  window.replace(window.find("\"cusum\""), 7, "\"window\"");
  window.replace(window.find("\"parameter\": 28"), 15, "\"parameter\": 0");
  EXPECT_FALSE(parse_early_abort(window, "x"));
  EXPECT_FALSE(parse_early_abort("", "x"));
  EXPECT_FALSE(parse_early_abort("[]", "x"));
  EXPECT_FALSE(parse_early_abort(std::string(2 << 20, ' '), "x"));
  for (size_t cut = 0; cut + 2 < good.size(); cut += 7) {
    EXPECT_FALSE(parse_early_abort(good.substr(0, cut), "x")) << cut;
  }
}

}  // namespace
}  // namespace tinyarms::calibration
