#include "engine/scheduler/batch_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tinyarms::engine {
namespace {

using ::testing::ElementsAre;

constexpr Priority kInteractive = Priority::Interactive;
constexpr Priority kBatch = Priority::Batch;

std::vector<size_t> plan(std::vector<PendingTokens> pending, BatchLimits limits = {512, 64}) {
  return plan_batch(pending, limits);
}

TEST(BatchPlanner, APromptAloneTakesTheWholePass) {
  EXPECT_THAT(plan({{1000, kInteractive}}), ElementsAre(512));
  EXPECT_THAT(plan({{100, kInteractive}}), ElementsAre(100));
  EXPECT_THAT(plan({{1000, kBatch}}), ElementsAre(512));
}

TEST(BatchPlanner, WritersAlwaysHaveTheirToken) {
  EXPECT_THAT(plan({{1000, kInteractive}, {1, kInteractive}, {1, kBatch}}),
              ElementsAre(64, 1, 1));
}

TEST(BatchPlanner, AShortPromptIsNotHeldUpByALongOne) {
  EXPECT_THAT(plan({{1000, kInteractive}, {20, kInteractive}}), ElementsAre(492, 20));
  EXPECT_THAT(plan({{1000, kInteractive}, {2000, kInteractive}}), ElementsAre(256, 256));
}

TEST(BatchPlanner, ABatchKeepsAnEighthAndTakesWhatIsLeft) {
  EXPECT_THAT(plan({{1000, kBatch}, {1000, kInteractive}}), ElementsAre(64, 448));
  EXPECT_THAT(plan({{1000, kBatch}, {100, kInteractive}}), ElementsAre(412, 100));
  EXPECT_THAT(plan({{10, kBatch}, {1000, kInteractive}}), ElementsAre(10, 502));
}

TEST(BatchPlanner, MoreWritersThanAPassHoldsTakeTurnsByOrder) {
  EXPECT_THAT(plan({{1, kBatch}, {1, kBatch}, {1, kBatch}}, {2, 2}), ElementsAre(1, 1, 0));
  EXPECT_THAT(plan({}), ElementsAre());
}

}  // namespace
}  // namespace tinyarms::engine
