#include "cli/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/question_options.h"

namespace tinyarms::cli {
namespace {

using cascade::Decision;
using cascade::Level;
using testing::HasSubstr;
using testing::Not;

cascade::Step answered(Level level, Decision decision) {
  cascade::Step step;
  step.level = level;
  step.decision = decision;
  step.reason = "confidence 0.400 is below threshold 0.600";
  step.confidence = 0.4;
  step.threshold = 0.6;
  step.attempt.answered = true;
  step.attempt.answer = "text";
  step.attempt.source = "a model";
  step.attempt.evidence.set(cascade::signal::kLogprobMean, -0.9);
  step.attempt.cost.prompt_tokens = 10;
  step.attempt.cost.completion_tokens = 20;
  return step;
}

cascade::Step failed(ErrorCode code) {
  cascade::Step step;
  step.level = Level::L2;
  step.decision = Decision::Fail;
  step.error = code;
  return step;
}

TEST(ExplainTest, ShowsTierDecisionReasonEvidenceAndCost) {
  const Terminal plain(ColourChoice::Never);
  const std::string text = explain({answered(Level::L2, Decision::Escalate)}, plain);
  EXPECT_THAT(text, HasSubstr("l2  escalate"));
  EXPECT_THAT(text, HasSubstr("is below threshold 0.600"));
  EXPECT_THAT(text, HasSubstr("a model"));
  EXPECT_THAT(text, HasSubstr("logprob_mean=-0.9"));
  EXPECT_THAT(text, HasSubstr("10 tokens in"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(ExplainTest, AnAnswerCannotSendEscapeSequences) {
  cascade::Step step = answered(Level::L2, Decision::Accept);
  step.attempt.source = "evil\x1b[2Jname";
  const Terminal plain(ColourChoice::Never);
  EXPECT_THAT(explain({step}, plain), Not(HasSubstr("\x1b")));
  EXPECT_EQ(printable("a\x1b]0;x\x07 b\tc\n"), "a\\x1b]0;x\\x07 b\tc\n");
  EXPECT_EQ(printable("\xC2\x9B"), "\\u009b");
  EXPECT_EQ(printable("é"), "é");
}

TEST(FooterTest, SaysWhoHowSureAndThatItIsUncalibrated) {
  cascade::Reply reply;
  reply.trace = {answered(Level::L2, Decision::Escalate)};
  reply.winner = 0;
  EXPECT_THAT(footer(reply), HasSubstr("l2 a model · confidence 0.40, uncalibrated, below 0.60"));
  EXPECT_EQ(footer({}), "— no tier answered");
}

TEST(ExitTest, EveryOutcomeHasItsNumber) {
  cascade::Reply sure;
  sure.trace = {answered(Level::L2, Decision::Accept)};
  sure.winner = 0;
  sure.sure = true;
  EXPECT_EQ(exit_for(sure, true), Exit::Answered);

  cascade::Reply unsure = sure;
  unsure.sure = false;
  EXPECT_EQ(exit_for(unsure, false), Exit::Answered);
  EXPECT_EQ(exit_for(unsure, true), Exit::LowConfidence);

  cascade::Reply interrupted = unsure;
  interrupted.interrupted = true;
  EXPECT_EQ(exit_for(interrupted, true), Exit::Interrupted);

  EXPECT_EQ(exit_for({}, false), Exit::NoAnswer);
  cascade::Reply model;
  model.trace = {failed(ErrorCode::Corrupt)};
  EXPECT_EQ(exit_for(model, false), Exit::Model);
  cascade::Reply too_long;
  too_long.trace = {failed(ErrorCode::ContextTooLong)};
  EXPECT_EQ(exit_for(too_long, false), Exit::Usage);
}

TEST(Footer, SaysThatAServerAnswered) {
  cascade::Reply reply;
  reply.trace = {answered(Level::L2, Decision::Accept)};
  reply.winner = 0;
  reply.sure = true;
  EXPECT_EQ(footer(reply).find("server"), std::string::npos);
  EXPECT_NE(footer(reply, true).find("by the running server"), std::string::npos);
}

}  // namespace
}  // namespace tinyarms::cli
