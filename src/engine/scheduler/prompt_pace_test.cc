#include "engine/scheduler/prompt_pace.h"

#include <gtest/gtest.h>

namespace tinyarms::engine {
namespace {

TEST(PromptPace, WaitsForNobodyBeforeItKnowsHowFastPromptsAre) {
  const PromptPace pace;
  EXPECT_EQ(pace.tokens_per_second(), 0);
  EXPECT_EQ(pace.patience(100'000).count(), 0);
  EXPECT_EQ(pace.tokens_beside_writers(), 64u);
}

TEST(PromptPace, GivesWritersAFifthOfASecondAndCompanyAHundredthOfAPass) {
  PromptPace pace;
  pace.measure(400, 2);
  EXPECT_DOUBLE_EQ(pace.tokens_per_second(), 200);
  EXPECT_EQ(pace.tokens_beside_writers(), 40u);
  EXPECT_DOUBLE_EQ(pace.patience(40).count(), 0.002);
  EXPECT_DOUBLE_EQ(pace.patience(4000).count(), 0.005);  // and no longer
  pace.measure(100, 1);
  EXPECT_DOUBLE_EQ(pace.tokens_per_second(), 170);  // the latest counts for three tenths
}

TEST(PromptPace, TooSmallAPassTellsNothing) {
  PromptPace pace;
  pace.measure(15, 0.001);
  pace.measure(100, 0);
  EXPECT_EQ(pace.tokens_per_second(), 0);
  pace.measure(16, 16);
  EXPECT_EQ(pace.tokens_beside_writers(), 16u);  // at least
}

}  // namespace
}  // namespace tinyarms::engine
