#include "cascade/draft_forecast.h"

#include <gtest/gtest.h>

namespace tinyarms::cascade {
namespace {

constexpr Speeds kLaptop{.prefill = 76, .decode = 22};

TEST(DraftForecastTest, FullAgreementSavesTheDecoding) {
  const DraftForecast all = foretell(
      {.prompt_tokens = 100, .draft_tokens = 128, .agreement = 1, .speeds = kLaptop});
  EXPECT_TRUE(all.worth_it);
  EXPECT_LE(all.ratio, 0.6);
  EXPECT_DOUBLE_EQ(all.agreed, 128);
}

TEST(DraftForecastTest, NoAgreementIsNotTriedAndWouldCostLittle) {
  const DraftForecast none = foretell(
      {.prompt_tokens = 100, .draft_tokens = 128, .agreement = 0, .speeds = kLaptop});
  EXPECT_FALSE(none.worth_it);
  EXPECT_GT(none.ratio, 1);
  EXPECT_LE(none.ratio, 1.05);
}

TEST(DraftForecastTest, WherePrefillIsAsSlowAsDecodingNothingCanBeGained) {
  EXPECT_FALSE(foretell({.prompt_tokens = 10,
                         .draft_tokens = 100,
                         .agreement = 0.5,
                         .speeds = {.prefill = 20, .decode = 20}})
                   .worth_it);
}

TEST(DraftForecastTest, UnknownSpeedsAreTriedAndNoDraftIsNot) {
  EXPECT_TRUE(foretell({.prompt_tokens = 10, .draft_tokens = 5, .agreement = 0, .speeds = {}})
                  .worth_it);
  EXPECT_FALSE(foretell({.prompt_tokens = 10, .draft_tokens = 0, .agreement = 1, .speeds = kLaptop})
                   .worth_it);
}

TEST(DraftForecastTest, MemoryFollowsWhatIsSeenAndForgets) {
  AgreementMemory memory;
  const double before = memory.chance();
  for (int i = 0; i < 40; ++i) memory.add(0, true);
  EXPECT_LT(memory.chance(), 0.1);
  EXPECT_LT(memory.chance(), before);
  for (int i = 0; i < 200; ++i) memory.skip();
  EXPECT_NEAR(memory.chance(), before, 0.01);
  for (int i = 0; i < 40; ++i) memory.add(60, false);
  EXPECT_GT(memory.chance(), 0.95);
}

}  // namespace
}  // namespace tinyarms::cascade
