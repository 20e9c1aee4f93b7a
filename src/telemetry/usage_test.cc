#include "telemetry/usage.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "telemetry/outcomes.h"
#include "telemetry/period.h"
#include "telemetry/sample_test.h"
#include "telemetry/usage_report.h"

namespace tinyarms::telemetry {
namespace {

// Four questions: rules, the cache, L2 alone, L2 and then L3.
std::vector<Counted> four() {
  const auto abstain = [](const char* level) { return sample_step(level, "abstain", 0.001); };
  return {
      sample("maths", {sample_step("l0", "accept", 0.001, 1)}, 100, "a"),
      sample("code", {abstain("l0"), sample_step("l1", "accept", 0.009, 0.9)}, 110, "b"),
      sample("code", {abstain("l0"), abstain("l1"), sample_step("l2", "accept", 2, 0.8)}, 120, "c"),
      sample("code",
             {abstain("l0"), abstain("l1"), sample_step("l2", "escalate", 3, 0.4),
              sample_step("l3", "accept", 8, 0.7)},
             190, "c"),
  };
}

TEST(Usage, CountsDraftsThatWereStopped) {
  auto stopped = sample_step("l2", "escalate", 1);
  stopped.evidence = R"({"stopped_early": true})";
  const std::vector<Counted> two = {
      sample("code", {stopped, sample_step("l3", "accept", 8, 0.7)}),
      sample("code", {sample_step("l2", "accept", 2, 0.8)})};
  const Usage usage = usage_of(two, 0, 200);
  EXPECT_EQ(usage.all.tiers[2].stopped_early, 1u);
  EXPECT_EQ(usage.all.tiers[2].escalated, 1u);
  EXPECT_NE(usage_text(usage, {}).find("stopped early  1 of 2 drafts of l2 (50 %)"),
            std::string::npos);
}

TEST(Usage, CountsWhoAnswered) {
  const Usage usage = usage_of(four(), 0, 200);
  EXPECT_EQ(usage.all.decisions, 4u);
  EXPECT_EQ(usage.all.answered, 4u);
  EXPECT_EQ(usage.all.sure, 4u);
  EXPECT_EQ(usage.all.escalated, 1u);
  EXPECT_EQ(usage.all.cache_exact, 1u);
  EXPECT_EQ(usage.all.cache_similar, 0u);
  const auto& tiers = usage.all.tiers;
  EXPECT_EQ(tiers[0].asked, 4u);
  EXPECT_EQ(tiers[0].abstained, 3u);
  EXPECT_EQ(tiers[2].answered, 2u);
  EXPECT_EQ(tiers[2].kept, 1u);
  EXPECT_EQ(tiers[2].escalated, 1u);
  EXPECT_EQ(tiers[2].given, 1u);
  EXPECT_EQ(tiers[2].tokens, 20);
  EXPECT_NEAR(tiers[2].confidence_mean, 0.6, 1e-12);
  EXPECT_NEAR(tiers[2].seconds.p50, 2.5, 1e-12);
  EXPECT_NEAR(tiers[2].seconds.p95, 2.95, 1e-12);
  EXPECT_EQ(usage.intents.at("code").decisions, 3u);
  EXPECT_EQ(usage.intents.at("maths").tiers[0].given, 1u);
  // The same question twice, both times by a model.
  EXPECT_EQ(usage.asked_again, 1u);
}

TEST(Usage, SavingsAgainstTheLargestTierThatAnswered) {
  const Usage usage = usage_of(four(), 0, 200);
  ASSERT_TRUE(usage.savings);
  EXPECT_EQ(usage.savings->tier, 3u);
  EXPECT_EQ(usage.savings->tier_answers, 1u);
  EXPECT_NEAR(usage.savings->seconds_always, 4 * 8, 1e-12);
  EXPECT_NEAR(usage.savings->seconds_spent, 0.001 + 0.01 + 2.002 + 11.002, 1e-9);
  EXPECT_EQ(usage.savings->calls_avoided, 3u);
  // Rules alone say nothing about models.
  const std::vector<Counted> rules = {sample("", {sample_step("l0", "accept", 0.1, 1)})};
  EXPECT_FALSE(usage_of(rules, 0, 1).savings);
}

TEST(Usage, NothingAtAllIsSaidAsSuch) {
  const Usage usage = usage_of({}, 0, 1);
  const auto json = usage_json(usage, {});
  EXPECT_EQ(json["decisions"], 0);
  EXPECT_TRUE(json["latency_seconds"]["p50"].is_null());
  EXPECT_TRUE(json["cache"]["hit_rate"].is_null());
  EXPECT_TRUE(json["savings"].is_null());
  EXPECT_NE(usage_text(usage, {}).find("0 decisions"), std::string::npos);
}

TEST(Usage, JsonAndTextTellTheSame) {
  const Usage usage = usage_of(four(), 0, 200);
  const auto json = usage_json(usage, {});
  EXPECT_EQ(json["tiers"][2]["share_kept"], 0.5);
  EXPECT_EQ(json["tiers"][2]["utilisation"], 0.25);
  EXPECT_EQ(json["cache"]["hits"], 1);
  EXPECT_EQ(json["intents"].size(), 2u);
  EXPECT_EQ(json["savings"]["against"], "l3");
  const std::string text = usage_text(usage, {});
  for (const char* part :
       {"4 decisions", "1 hits (25 %)", "1 of 4 questions", "always asking l3"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(Usage, TheTimelineHasEveryDecisionOfItsTimeOnce) {
  const auto moments = timeline(four(), 100, 200, 4);
  ASSERT_EQ(moments.size(), 4u);
  EXPECT_EQ(moments[0].given, (std::array<size_t, kTiers>{1, 1, 1, 0, 0}));
  EXPECT_EQ(moments[3].given[3], 1u);
  EXPECT_EQ(moments[3].escalated, 1u);
  EXPECT_EQ(moments[1].from, 125);
  EXPECT_TRUE(timeline(four(), 100, 100, 4).empty());
}

TEST(Usage, AGarbledLogAddsNothing) {
  storage::LoggedDecision logged{.id = "x", .winner = 1};
  logged.steps.push_back(sample_step("l9", "accept", 1));
  logged.steps.push_back(sample_step("l2", "shrug", 1));
  logged.steps.push_back(sample_step("l2", "accept", -5, 0.5));
  logged.steps.back().evidence = "{\"finished\": 3, \"code_parses\": true, garbage";
  const Counted made = counted(logged);
  ASSERT_EQ(made.steps.size(), 1u);
  EXPECT_FALSE(made.winner);
  EXPECT_EQ(made.steps[0].seconds, 0);
  EXPECT_FALSE(made.steps[0].finished);
}

TEST(Outcomes, BinsHoldForecastsAgainstWhatHappened) {
  std::vector<Counted> decisions;
  for (int i = 0; i < 10; ++i) {
    auto step = sample_step("l2", "accept", 1, 0.75);
    step.good = i < 6;
    decisions.push_back(sample("code", {step}));
  }
  decisions.push_back(sample("code", {sample_step("l2", "accept", 1, 0.2)}));  // nobody told
  const auto outcomes = outcomes_of(decisions);
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].tier, 2u);
  EXPECT_EQ(outcomes[0].outcomes, 10u);
  EXPECT_EQ(outcomes[0].right, 6u);
  ASSERT_EQ(outcomes[0].bins.size(), 1u);
  EXPECT_NEAR(outcomes[0].bins[0].observed, 0.6, 1e-12);
  EXPECT_NEAR(outcomes[0].ece, 0.15, 1e-12);
  EXPECT_NEAR(outcomes[0].brier, 0.6 * 0.0625 + 0.4 * 0.5625, 1e-12);
  EXPECT_LT(outcomes[0].bins[0].observed_low, 0.6);
  EXPECT_GT(outcomes[0].bins[0].observed_high, 0.6);
}

TEST(Period, IsANumberAndAUnit) {
  EXPECT_EQ(*parse_period("7d"), 7 * 86400.0);
  EXPECT_EQ(*parse_period("30m"), 1800);
  EXPECT_EQ(*parse_period("2w"), 14 * 86400.0);
  for (const char* wrong : {"", "7", "d", "0d", "-1d", "7dd", "7 d", "1e3d", "99999999999d"}) {
    EXPECT_FALSE(parse_period(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace tinyarms::telemetry
