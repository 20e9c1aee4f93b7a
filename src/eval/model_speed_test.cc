#include "eval/model_speed.h"

#include <gtest/gtest.h>

namespace tinyarms::eval {
namespace {

TEST(SpeedPlan, MeasuresAsMuchAsTheTimeAllows) {
  const SpeedPlan quick = plan_speed({.prompt = 1000, .answer = 100}, 30);
  EXPECT_EQ(quick.rounds, 3);
  EXPECT_EQ(quick.prompt_tokens, 256);
  EXPECT_EQ(quick.answer_tokens, 64);
  // 12.8 s a round.
  EXPECT_EQ(plan_speed({.prompt = 40, .answer = 10}, 30).rounds, 2);
  const SpeedPlan slow = plan_speed({.prompt = 4, .answer = 1}, 32);  // 128 s a round
  EXPECT_EQ(slow.rounds, 1);
  EXPECT_EQ(slow.prompt_tokens, 64);
  EXPECT_EQ(slow.answer_tokens, 16);
  for (const double left : {0.0, -5.0, 1e-9}) {
    const SpeedPlan least = plan_speed({.prompt = 0, .answer = 0}, left);
    EXPECT_EQ(least.rounds, 1);
    EXPECT_GE(least.prompt_tokens, 32);
    EXPECT_GE(least.answer_tokens, 4);
  }
}

TEST(MeasuredOn, AllThreadsAreCounted) {
  EXPECT_GE(measured_on("", 0).threads, 1);
  EXPECT_EQ(measured_on("", 2).threads, 2);
  EXPECT_FALSE(measured_on("", 1).engine.empty());
}

}  // namespace
}  // namespace tinyarms::eval
