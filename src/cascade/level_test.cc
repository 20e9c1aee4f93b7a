#include "cascade/level.h"

#include <gtest/gtest.h>

namespace tinyarms::cascade {
namespace {

TEST(Level, NamesAreReadBack) {
  for (Level level : kLevels) EXPECT_EQ(parse_level(level_name(level)), level);
  EXPECT_EQ(level_name(Level::L3), "l3");
}

TEST(Level, OtherWordsAreNoLevels) {
  for (const char* word : {"", "l", "l5", "L2", "l2 ", "2"}) {
    EXPECT_FALSE(parse_level(word)) << word;
  }
}

TEST(Level, CheapestFirst) {
  for (size_t i = 1; i < kLevels.size(); ++i) EXPECT_LT(kLevels[i - 1], kLevels[i]);
}

}  // namespace
}  // namespace tinyarms::cascade
