#include "cascade/session_latch.h"

#include <gtest/gtest.h>

namespace tinyarms::cascade {
namespace {

Reply answered(Level level, bool sure) {
  Reply reply;
  reply.trace.emplace_back().level = level;
  reply.winner = 0;
  reply.sure = sure;
  return reply;
}

TEST(SessionLatch, StaysWithTheLargerModelUntilItIsCalm) {
  SessionLatch latch(2);
  EXPECT_EQ(latch.floor(), std::nullopt);
  latch.observe(answered(Level::L2, true));
  EXPECT_EQ(latch.floor(), Level::L2);
  latch.observe(answered(Level::L3, true));
  EXPECT_EQ(latch.floor(), Level::L3);
  latch.observe(answered(Level::L3, true));
  EXPECT_EQ(latch.floor(), Level::L3);
  latch.observe(answered(Level::L3, false));  // not calm: the count starts again
  latch.observe(answered(Level::L3, true));
  EXPECT_EQ(latch.floor(), Level::L3);
  latch.observe(answered(Level::L3, true));
  EXPECT_EQ(latch.floor(), Level::L2);
  for (int turn = 0; turn < 9; ++turn) latch.observe(answered(Level::L2, true));
  EXPECT_EQ(latch.floor(), Level::L2);
}

TEST(SessionLatch, RulesCachesAndBrokenTurnsChangeNothing) {
  SessionLatch latch(1);
  latch.observe(answered(Level::L3, true));
  latch.observe(answered(Level::L0, true));
  latch.observe(answered(Level::L1, true));
  latch.observe(Reply{});
  Reply stopped = answered(Level::L4, false);
  stopped.interrupted = true;
  latch.observe(stopped);
  EXPECT_EQ(latch.floor(), Level::L3);
  latch.reset();
  EXPECT_EQ(latch.floor(), std::nullopt);
}

}  // namespace
}  // namespace tinyarms::cascade
