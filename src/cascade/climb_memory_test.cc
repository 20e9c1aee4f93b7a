#include "cascade/climb_memory.h"

#include <gtest/gtest.h>

namespace tinyarms::cascade {
namespace {

TEST(ClimbMemory, KnowsNothingBeforeAFewAnswers) {
  ClimbMemory memory;
  for (int i = 1; i < ClimbMemory::kJudgedMin; ++i) {
    memory.add(Level::L2, "code", true);
    EXPECT_FALSE(memory.share(Level::L2, "code").likely()) << i;
  }
  memory.add(Level::L2, "code", true);
  EXPECT_TRUE(memory.share(Level::L2, "code").likely());
  EXPECT_FALSE(memory.share(Level::L3, "code").likely());
  EXPECT_FALSE(memory.share(Level::L2, "general").likely());
}

TEST(ClimbMemory, HalfIsNotMoreOftenThanNot) {
  ClimbMemory memory;
  for (int i = 0; i < 10; ++i) memory.add(Level::L2, "", i % 2 == 0);
  EXPECT_EQ(memory.share(Level::L2, "").climbed, 5);
  EXPECT_FALSE(memory.share(Level::L2, "").likely());
  memory.add(Level::L2, "", true);
  EXPECT_TRUE(memory.share(Level::L2, "").likely());
}

TEST(ClimbMemory, ForgetsWhatIsLongPast) {
  ClimbMemory memory;
  for (int i = 0; i < 100; ++i) memory.add(Level::L2, "", true);
  EXPECT_EQ(memory.share(Level::L2, "").judged, ClimbMemory::kRemembered);
  EXPECT_EQ(memory.share(Level::L2, "").climbed, ClimbMemory::kRemembered);
  for (int i = 0; i < ClimbMemory::kRemembered; ++i) memory.add(Level::L2, "", false);
  EXPECT_EQ(memory.share(Level::L2, "").climbed, 0);
}

TEST(ClimbMemory, StrangersCannotMakeItGrow) {
  ClimbMemory memory;
  for (int i = 0; i < 1000; ++i) memory.add(Level::L2, std::to_string(i), true);
  EXPECT_EQ(memory.share(Level::L2, "0").judged, 1);
  EXPECT_EQ(memory.share(Level::L2, "999").judged, 0);
  memory.add(Level::L2, "0", true);  // who is known is remembered on
  EXPECT_EQ(memory.share(Level::L2, "0").judged, 2);
}

}  // namespace
}  // namespace tinyarms::cascade
