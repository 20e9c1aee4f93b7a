#include "tiers/idle_sweeper.h"

#include <gtest/gtest.h>

#include <future>

namespace tinyarms::tiers {
namespace {

class EmptyLoader final : public ModelLoader {
 public:
  Result<uint64_t> bytes_needed(const std::filesystem::path&, uint32_t) override { return 40; }
  Result<LoadedModel> load(const std::filesystem::path&, uint32_t) override {
    return LoadedModel{};
  }
};

class PutAwayWatcher final : public ShelfWatcher {
 public:
  void loaded(uint64_t, const ShelvedModel&) override {}
  void lent(uint64_t) override {}
  void given_back(uint64_t) override {}
  void put_away(uint64_t) override { happened.set_value(); }
  std::promise<void> happened;
};

// The test ends when the model is gone; nobody asks for another meanwhile.
TEST(IdleSweeperTest, PutsAwayWhatNobodyUses) {
  const SystemClock clock;
  EmptyLoader loader;
  auto watcher = std::make_shared<PutAwayWatcher>();
  ModelShelf shelf(loader, clock,
                   {.budget_bytes = 100, .idle_seconds = 0.01, .watcher = watcher});
  const IdleSweeper sweeper(shelf, 0.01);
  ASSERT_TRUE(shelf.take("model", 10));
  watcher->happened.get_future().wait();
  EXPECT_EQ(shelf.models_resident(), 0u);
}

TEST(IdleSweeperTest, EndsAtOnce) {
  const SystemClock clock;
  EmptyLoader loader;
  ModelShelf shelf(loader, clock, {.budget_bytes = 100, .idle_seconds = 1e6});
  const IdleSweeper sweeper(shelf, 1e6);
}

}  // namespace
}  // namespace tinyarms::tiers
