// Copies in memory without a model: who gets which, what is let go, and what counts until when.
#include "engine/snapshots/snapshot_memory.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/hand_clock.h"

namespace tinyarms::engine {
namespace {

std::vector<int32_t> counting(int first, size_t count) {
  std::vector<int32_t> all(count);
  for (size_t i = 0; i < count; ++i) all[i] = first + static_cast<int32_t>(i);
  return all;
}

class SnapshotMemoryTest : public ::testing::Test {
 protected:
  static bool keep(SnapshotMemory& memory, std::vector<int32_t> tokens, uint64_t bytes = 100,
                   double seconds = 1, const std::string& scope = "") {
    auto state = memory.provide(bytes);
    if (!state) return false;
    return memory.keep({.binding = "one", .scope = scope, .tokens = std::move(tokens),
                        .seconds = seconds, .state_bytes = bytes},
                       std::move(state));
  }
  static size_t held(const SnapshotMemory& memory, int first, size_t count,
                     const std::string& scope = "") {
    const auto match = memory.find("one", scope, counting(first, count));
    return match ? match->length : 0;
  }

  HandClock clock_;
};

TEST_F(SnapshotMemoryTest, FindsTheLongestBeginningOfTheSameBindingAndScope) {
  SnapshotMemory memory(1000, clock_);
  ASSERT_TRUE(keep(memory, counting(0, 40), 100, 2.5, "anna"));
  ASSERT_TRUE(keep(memory, counting(0, 20), 100, 1, "bert"));
  auto asked = counting(0, 30);
  asked.push_back(7);
  const auto match = memory.find("one", "anna", asked);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->length, 30u);
  EXPECT_EQ(match->head.tokens, counting(0, 40));
  EXPECT_EQ(match->head.seconds, 2.5);
  EXPECT_EQ(*match->state, std::string(100, '\0'));
  EXPECT_EQ(held(memory, 0, 30, "bert"), 20u);
  EXPECT_EQ(held(memory, 0, 30), 0u);
  EXPECT_EQ(held(memory, 1, 30, "anna"), 0u);
  EXPECT_FALSE(memory.find("two", "anna", asked));
}

TEST_F(SnapshotMemoryTest, ALongerOneTakesThePlaceOfWhatItBeginsWith) {
  SnapshotMemory memory(1000, clock_);
  ASSERT_TRUE(keep(memory, counting(0, 40)));
  ASSERT_TRUE(keep(memory, counting(0, 40), 100, 1, "anna"));
  ASSERT_TRUE(keep(memory, counting(0, 60)));
  EXPECT_EQ(memory.counters().snapshots, 2u);
  EXPECT_EQ(memory.counters().bytes, 200u);
  EXPECT_EQ(held(memory, 0, 60, "anna"), 40u);
}

TEST_F(SnapshotMemoryTest, LetsGoOfWhatIsWorthLeastAByte) {
  SnapshotMemory memory(300, clock_);
  ASSERT_TRUE(keep(memory, counting(0, 40), 100, 50));  // old, but dear
  clock_.now += 10;
  ASSERT_TRUE(keep(memory, counting(1000, 40), 100, 1));
  clock_.now += 10;
  ASSERT_TRUE(keep(memory, counting(2000, 40), 100, 1));
  clock_.now += 10;
  memory.restored({.binding = "one", .tokens = counting(1000, 40)}, 40);
  ASSERT_TRUE(keep(memory, counting(3000, 40), 100, 1));
  EXPECT_EQ(held(memory, 0, 40), 40u);
  EXPECT_EQ(held(memory, 1000, 40), 40u);  // used since
  EXPECT_EQ(held(memory, 2000, 40), 0u);
  EXPECT_EQ(held(memory, 3000, 40), 40u);
  EXPECT_EQ(memory.counters().let_go, 1u);
  EXPECT_EQ(memory.counters().tokens_restored, 40u);
  EXPECT_EQ(memory.counters().bytes, 300u);
}

TEST_F(SnapshotMemoryTest, OneLargerThanTheLimitPushesNobodyOut) {
  SnapshotMemory memory(300, clock_);
  ASSERT_TRUE(keep(memory, counting(0, 40)));
  EXPECT_TRUE(memory.takes(300));
  EXPECT_FALSE(memory.takes(301));
  EXPECT_FALSE(keep(memory, counting(500, 40), 301));
  EXPECT_EQ(held(memory, 500, 40), 0u);
  memory.set_room(200);
  EXPECT_FALSE(memory.takes(201));
  EXPECT_FALSE(keep(memory, counting(500, 40), 201));
  EXPECT_EQ(held(memory, 0, 40), 40u);
}

TEST_F(SnapshotMemoryTest, MakesRoomForModels) {
  SnapshotMemory memory(1000, clock_);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(keep(memory, counting(1000 * i, 40)));
    clock_.now += 10;
  }
  memory.set_room(250);
  EXPECT_EQ(memory.counters().snapshots, 2u);
  EXPECT_EQ(memory.counters().bytes, 200u);
  EXPECT_EQ(held(memory, 4000, 40), 40u);
  memory.set_room(0);
  EXPECT_EQ(memory.counters().bytes, 0u);
  EXPECT_FALSE(keep(memory, counting(0, 40)));
  memory.set_room(100);
  EXPECT_TRUE(keep(memory, counting(0, 40)));
  EXPECT_EQ(held(memory, 0, 40), 40u);
}

TEST_F(SnapshotMemoryTest, WhatNobodyUsedForLongGoes) {
  SnapshotMemory memory(1000, clock_, 60);
  ASSERT_TRUE(keep(memory, counting(0, 40)));
  ASSERT_TRUE(keep(memory, counting(1000, 40)));
  clock_.now += 59;
  memory.restored({.binding = "one", .tokens = counting(1000, 40)}, 40);
  memory.set_room(1000);
  EXPECT_EQ(memory.counters().snapshots, 2u);
  clock_.now += 1;
  memory.set_room(1000);
  EXPECT_EQ(held(memory, 0, 40), 0u);
  EXPECT_EQ(held(memory, 1000, 40), 40u);
}

// Also of a state that waits to be written, or is being put back.
TEST_F(SnapshotMemoryTest, AStateCountsUntilNobodyHoldsIt) {
  std::shared_ptr<std::string> last;
  {
    SnapshotMemory memory(0, clock_);
    memory.set_room(250);
    auto first = memory.provide(150);
    ASSERT_TRUE(first);
    EXPECT_EQ(memory.provide(101), nullptr);
    EXPECT_FALSE(memory.keep({.binding = "one", .tokens = counting(0, 40)}, first));
    EXPECT_EQ(held(memory, 0, 40), 0u);  // with a limit of 0 it only lends
    EXPECT_EQ(memory.counters().bytes, 150u);
    first.reset();
    EXPECT_EQ(memory.counters().bytes, 0u);
    last = memory.provide(250);
    ASSERT_TRUE(last);
  }
  EXPECT_EQ(last->size(), 250u);  // outlives it
}

TEST_F(SnapshotMemoryTest, KeepsNothingOnceItIsToldThatTheProcessEnds) {
  SnapshotMemory memory(1000, clock_);
  ASSERT_TRUE(keep(memory, counting(0, 40)));
  memory.stop_keeping();
  EXPECT_FALSE(memory.keeps());
  EXPECT_FALSE(keep(memory, counting(500, 40)));
  EXPECT_EQ(memory.counters().snapshots, 0u);
  EXPECT_EQ(memory.counters().bytes, 0u);
}

TEST_F(SnapshotMemoryTest, ManyModelsShareIt) {
  SnapshotMemory memory(2000, clock_);
  std::vector<std::thread> models;
  for (int model = 0; model < 4; ++model) {
    models.emplace_back([&memory, model] {
      for (int i = 0; i < 500; ++i) {
        keep(memory, counting(model * 100000 + i % 30, 40), 100 + static_cast<uint64_t>(i % 7));
        const auto match = memory.find("one", "", counting(model * 100000 + i % 30, 40));
        if (match) memory.restored(match->head, match->length);
        if (i % 50 == 0) memory.set_room(static_cast<uint64_t>(i % 3) * 900);
      }
    });
  }
  for (std::thread& model : models) model.join();
  memory.set_room(1500);
  EXPECT_LE(memory.counters().bytes, 1500u);
  memory.stop_keeping();
  EXPECT_EQ(memory.counters().bytes, 0u);
}

}  // namespace
}  // namespace tinyarms::engine
