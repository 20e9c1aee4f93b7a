#include "tiers/draft_use.h"

#include <gtest/gtest.h>

namespace tinyarms::tiers {
namespace {

namespace signal = cascade::signal;

cascade::Step draft_step() {
  cascade::Step step;
  step.level = cascade::Level::L2;
  step.decision = cascade::Decision::Escalate;
  step.attempt.answered = true;
  step.attempt.answer = "draft";
  step.attempt.origin.model = "small";
  step.attempt.tokens = {"vocabulary", std::vector<int32_t>(100, 7)};
  step.attempt.cost = {.prompt_tokens = 200,
                       .completion_tokens = 100,
                       .prefill_seconds = 2,
                       .decode_seconds = 5};
  return step;
}

cascade::Request draft_question(const std::string& text) {
  cascade::Request request;
  request.messages.push_back({cascade::Role::User, text});
  return request;
}

constexpr DraftUse kAuto{.speculate = DraftSetting::Auto, .lookup = DraftSetting::Auto};

TEST(DraftJudgeTest, TakesTheDraftThatWasNotGoodEnough) {
  const DraftJudge judge(kAuto);
  const DraftPlan plan = judge.plan(draft_question("q"), {draft_step()});
  ASSERT_TRUE(plan.options.draft);
  EXPECT_EQ(plan.options.draft->text, "draft");
  EXPECT_EQ(plan.options.draft->trail.tokens.size(), 100u);
  EXPECT_TRUE(plan.options.draft->ended);
  EXPECT_TRUE(plan.options.lookup);
  EXPECT_FALSE(plan.options.lookup_in_prompt);
  EXPECT_NE(plan.explanation.find("tried"), std::string::npos);
}

TEST(DraftJudgeTest, LooksUpInTheQuestionWhereItHoldsCode) {
  const DraftJudge judge(kAuto);
  EXPECT_TRUE(judge.plan(draft_question("```\nx = 1\n```"), {}).options.lookup_in_prompt);
  EXPECT_FALSE(judge.plan(draft_question("plain"), {}).options.lookup);
}

TEST(DraftJudgeTest, WhereThereIsNothingToUseNothingIsUsed) {
  EXPECT_FALSE(DraftJudge({}).plan(draft_question("q"), {draft_step()}).options.draft);
  const DraftJudge judge(kAuto);
  EXPECT_FALSE(judge.plan(draft_question("q"), {}).options.draft);
  cascade::Step accepted = draft_step();
  accepted.decision = cascade::Decision::Accept;
  EXPECT_FALSE(judge.plan(draft_question("q"), {accepted}).options.draft);
  cascade::Step text_only = draft_step();
  text_only.attempt.tokens = {};
  EXPECT_FALSE(judge.plan(draft_question("q"), {text_only}).options.draft);
}

TEST(DraftJudgeTest, StopsTryingDraftsThatNeverAgreeUnlessToldTo) {
  DraftJudge judge(kAuto);
  DraftJudge stubborn({.speculate = DraftSetting::On, .lookup = DraftSetting::Off});
  for (DraftJudge* each : {&judge, &stubborn}) {
    for (int i = 0; i < 30; ++i) {
      const DraftPlan plan = each->plan(draft_question("q"), {draft_step()});
      engine::Generation generation;
      if (plan.options.draft) {
        generation.draft = engine::DraftReport{.tokens = 100, .checked = 8, .agreed = 0};
      }
      cascade::Evidence evidence;
      each->learn(plan, generation, evidence);
      if (plan.options.draft) {
        EXPECT_EQ(evidence.number(signal::kDraftAgreed), 0.0);
      }
      EXPECT_TRUE(evidence.text(signal::kDraftDecision));
    }
  }
  const DraftPlan plan = judge.plan(draft_question("q"), {draft_step()});
  EXPECT_FALSE(plan.options.draft);
  EXPECT_NE(plan.explanation.find("not tried"), std::string::npos);
  EXPECT_TRUE(stubborn.plan(draft_question("q"), {draft_step()}).options.draft);
}

TEST(DraftJudgeTest, AConversationUnderWayIsLeftToTheScheduler) {
  cascade::Request request = draft_question("a");
  request.messages.push_back({cascade::Role::Assistant, "b"});
  request.messages.push_back({cascade::Role::User, "c"});
  EXPECT_FALSE(DraftJudge(kAuto).plan(request, {draft_step()}).options.draft);
}

TEST(DraftJudgeTest, WhatTheSchedulerComputedAheadIsUsedInsteadOfTheDraft) {
  const cascade::Request request = draft_question("```\nx = 1\n```");
  const DraftPlan plan = DraftJudge(kAuto).plan(request, {draft_step()}, true);
  EXPECT_FALSE(plan.options.draft);
  EXPECT_FALSE(plan.options.lookup);
  EXPECT_EQ(plan.explanation,
            "not tried: the prompt was begun elsewhere while the draft was written");
  const DraftJudge stubborn({.speculate = DraftSetting::On});
  EXPECT_TRUE(stubborn.plan(request, {draft_step()}, true).options.draft);
  EXPECT_FALSE(stubborn.may_ask_scheduler());
  EXPECT_TRUE(DraftJudge(kAuto).may_ask_scheduler());
}

}  // namespace
}  // namespace tinyarms::tiers
