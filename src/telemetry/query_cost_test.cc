#include "telemetry/query_cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "telemetry/query_cost_report.h"
#include "telemetry/sample_test.h"

namespace tinyarms::telemetry {
namespace {

// Four questions of 40 bytes: one by rules, two by L2 alone, one by L2 and then L3. Every answer of
// a model has ten tokens.
Usage used() {
  const auto abstain = [] { return sample_step("l0", "abstain", 0.5); };
  std::vector<Counted> decisions = {
      sample("", {sample_step("l0", "accept", 0.5, 1)}),
      sample("", {abstain(), sample_step("l2", "accept", 2, 0.8)}),
      sample("", {abstain(), sample_step("l2", "accept", 4, 0.8)}),
      sample("", {abstain(), sample_step("l2", "escalate", 3, 0.3),
                  sample_step("l3", "accept", 8, 0.9)})};
  for (Counted& decision : decisions) decision.question_bytes = 40;
  return usage_of(decisions, 0, 1000);
}

// 10 tokens read at 10 a second and 10 written at 2.5: 5 s.
CostTerms measured_l3() {
  CostTerms terms;
  terms.watts_assumed = 36;
  terms.dollars_a_kwh = 0.5;
  terms.dollars_a_second = 0.001;
  terms.tiers[3] = {.model = "large", .prompt_tokens_rate = 10, .answer_tokens_rate = 2.5,
                    .watts = 72.0};
  return terms;
}

TEST(QueryCost, ATierCostsByTheShareOfQuestionsThatAskIt) {
  const QueryCosts costs = query_costs(used(), measured_l3());
  EXPECT_DOUBLE_EQ(costs.prompt_tokens, 10);
  EXPECT_DOUBLE_EQ(costs.answer_tokens, 10);
  ASSERT_EQ(costs.tiers.size(), 3u);
  const TierCost& l2 = costs.tiers[1];
  EXPECT_DOUBLE_EQ(l2.asked_share, 0.75);
  EXPECT_FALSE(l2.measured);
  EXPECT_DOUBLE_EQ(l2.each.seconds, 3);            // the log's mean
  EXPECT_DOUBLE_EQ(l2.each.watt_hours, 0.03);      // 36 W
  EXPECT_DOUBLE_EQ(l2.each.dollars, 0.003 + 0.03 / 1000 * 0.5);
  const TierCost& l3 = costs.tiers[2];
  EXPECT_TRUE(l3.measured);
  EXPECT_DOUBLE_EQ(l3.each.seconds, 5);            // not the log's 8
  EXPECT_DOUBLE_EQ(l3.each.watt_hours, 0.1);       // 72 W
  EXPECT_DOUBLE_EQ(costs.query.seconds, 0.5 + 0.75 * 3 + 0.25 * 5);
  EXPECT_EQ(costs.large, 2u);
  EXPECT_DOUBLE_EQ(costs.always_large.seconds, 5);
  EXPECT_FALSE(costs.api_dollars);
}

TEST(QueryCost, ARemoteIsPaidByTokensAndTakesNoEnergyHere) {
  CostTerms terms = measured_l3();
  terms.tiers[3] = {.model = "far", .remote = true, .price = TokenPrice{2, 8}};
  terms.api = "other";
  terms.api_price = {100, 200};
  QueryCosts costs = query_costs(used(), terms);
  const TierCost& far = costs.tiers[2];
  EXPECT_DOUBLE_EQ(far.each.dollars, (10 * 2 + 10 * 8) / 1e6);
  EXPECT_EQ(far.each.watt_hours, 0);
  EXPECT_DOUBLE_EQ(far.each.seconds, 8);
  EXPECT_EQ(costs.large, 1u);  // the largest of this machine
  EXPECT_DOUBLE_EQ(*costs.api_dollars, (10 * 100 + 10 * 200) / 1e6);
  terms.tiers[3].price.reset();
  costs = query_costs(used(), terms);
  EXPECT_FALSE(costs.tiers[2].priced);
  EXPECT_EQ(costs.tiers[2].each.dollars, 0);
}

TEST(QueryCost, ALargeModelThatWasOnlyMeasuredCanBeComparedWith) {
  const std::vector<Counted> rules = {sample("", {sample_step("l0", "accept", 0.1, 1)})};
  const QueryCosts costs = query_costs(usage_of(rules, 0, 1), measured_l3());
  ASSERT_TRUE(costs.large);
  EXPECT_EQ(costs.tiers[*costs.large].tier, 3u);
  EXPECT_EQ(costs.tiers[*costs.large].asked_share, 0);
  EXPECT_DOUBLE_EQ(costs.always_large.seconds, kAnswerTokensAssumed / 2.5);
  EXPECT_DOUBLE_EQ(costs.query.seconds, 0.1);
}

TEST(QueryCost, TokensWithoutAnAnswerTellNoLength) {
  const std::vector<Counted> failed = {sample("", {sample_step("l2", "fail", 1)})};
  const Usage usage = usage_of(failed, 0, 1);
  ASSERT_EQ(usage.all.tiers[2].tokens, 10);
  const QueryCosts costs = query_costs(usage, {});
  EXPECT_EQ(costs.answer_tokens, kAnswerTokensAssumed);
  EXPECT_EQ(costs.tiers[0].answer_tokens, kAnswerTokensAssumed);
}

TEST(QueryCost, TextAndJsonTellTheSameAndWhatIsAssumed) {
  CostTerms terms = measured_l3();
  terms.api = "other";
  terms.api_price = {1, 2};
  const QueryCosts costs = query_costs(used(), terms);
  const std::string text = cost_text(costs, terms);
  EXPECT_THAT(text, testing::HasSubstr("the log, 36 W assumed"));
  EXPECT_THAT(text, testing::HasSubstr("models measure, 72 W measured"));
  EXPECT_THAT(text, testing::HasSubstr("this takes 80 % of its time"));  // 4 of 5 s
  EXPECT_THAT(text, testing::ContainsRegex("this costs [0-9]+ % of its price"));
  const auto json = cost_json(costs, terms);
  EXPECT_EQ(json["question"]["seconds"], costs.query.seconds);
  EXPECT_EQ(json["tiers"][1]["watts_by"], "assumed");
  EXPECT_EQ(json["tiers"][2]["watts_by"], "rapl");
  EXPECT_NEAR(json["always_large"]["share_of_seconds_saved"].get<double>(), 0.2, 1e-12);
  EXPECT_LT(json["always_api"]["share_of_dollars_saved"], 0);
  const Usage none = usage_of({}, 0, 1);
  EXPECT_EQ(cost_text(query_costs(none, terms), terms), "");
  EXPECT_TRUE(cost_json(query_costs(none, terms), terms).is_null());
}

}  // namespace
}  // namespace tinyarms::telemetry
