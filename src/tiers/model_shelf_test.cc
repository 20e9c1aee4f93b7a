#include "tiers/model_shelf.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <map>

#include "base/hand_clock.h"

namespace tinyarms::tiers {
namespace {

class CountingLoader final : public ModelLoader {
 public:
  explicit CountingLoader(HandClock& clock) : clock_(clock) {}
  Result<uint64_t> bytes_needed(const std::filesystem::path&, uint32_t) override { return 40; }
  Result<LoadedModel> load(const std::filesystem::path& file, uint32_t) override {
    ++loads[file.string()];
    clock_.now += seconds.contains(file.string()) ? seconds.at(file.string()) : 1;
    return LoadedModel{};
  }
  std::map<std::string, int> loads;
  std::map<std::string, double> seconds;

 private:
  HandClock& clock_;
};

class ModelShelfTest : public ::testing::Test {
 protected:
  HandClock clock;
  CountingLoader loader{clock};
};

TEST_F(ModelShelfTest, WhatIsDearToLoadStaysLonger) {
  ModelShelf shelf(loader, clock, 100);
  loader.seconds = {{"dear", 50}, {"cheap", 1}};
  ASSERT_TRUE(shelf.take("dear", 10));
  ASSERT_TRUE(shelf.take("cheap", 10));
  clock.now += 10;  // the dear one is idle for 11 s, the cheap one for 10
  ASSERT_TRUE(shelf.take("third", 10));
  EXPECT_EQ(shelf.take("dear", 10)->load_seconds, 0);
}

TEST_F(ModelShelfTest, WhatIsInUseOrPinnedIsNotPutAway) {
  ModelShelf shelf(loader, clock, {.budget_bytes = 100, .kept = {"pinned"}});
  ASSERT_TRUE(shelf.take("pinned", 10));
  auto loan = shelf.take("used", 10);
  ASSERT_TRUE(loan);
  auto refused = shelf.take("third", 10);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OverBudget);
  EXPECT_EQ(loader.loads["third"], 0);  // before anything was mapped
  loan = Error{};
  EXPECT_TRUE(shelf.take("third", 10));
  EXPECT_EQ(shelf.residents().size(), 2u);
  EXPECT_TRUE(shelf.residents()[1].kept);
}

// What the budget leaves is somebody else's until a model needs it.
TEST_F(ModelShelfTest, TellsWhatTheBudgetLeaves) {
  std::vector<uint64_t> room;
  ModelShelf shelf(loader, clock,
                   {.budget_bytes = 100, .idle_seconds = 60,
                    .on_room = [&](uint64_t bytes) { room.push_back(bytes); }});
  EXPECT_EQ(room, std::vector<uint64_t>{100});
  ASSERT_TRUE(shelf.take("one", 10));
  EXPECT_EQ(room.back(), 60u);
  ASSERT_TRUE(shelf.take("two", 10));
  EXPECT_EQ(room.back(), 20u);
  ASSERT_TRUE(shelf.take("three", 10));  // in the place of one
  EXPECT_EQ(room.back(), 20u);
  clock.now += 60;
  shelf.put_away_idle();
  EXPECT_EQ(room.back(), 100u);
  auto guest = shelf.admit({.file = "encoder", .bytes = 30});
  ASSERT_TRUE(guest);
  EXPECT_EQ(room.back(), 70u);
  StopFlag stop;
  auto spare = shelf.take_spare("one", 10, stop);
  ASSERT_TRUE(spare);
  EXPECT_EQ(room.back(), 30u);
  guest = Error{};
  EXPECT_EQ(room.back(), 60u);
}

TEST_F(ModelShelfTest, IdleModelsAreUnloaded) {
  ModelShelf shelf(loader, clock,
                   {.budget_bytes = 1000, .idle_seconds = 60, .kept = {"pinned"}});
  ASSERT_TRUE(shelf.take("pinned", 10));
  ASSERT_TRUE(shelf.take("one", 10));
  clock.now += 59;
  shelf.put_away_idle();
  EXPECT_EQ(shelf.models_resident(), 2u);
  clock.now += 1;
  shelf.put_away_idle();
  EXPECT_EQ(shelf.models_resident(), 1u);
  EXPECT_EQ(shelf.residents()[0].file, "pinned");
}

TEST_F(ModelShelfTest, AReplacedFileIsLoadedAnew) {
  std::string folder = (std::filesystem::temp_directory_path() / "tinyarms-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::filesystem::path file = std::filesystem::path(folder) / "model";
  std::ofstream(file) << "one";
  ModelShelf shelf(loader, clock, 1000);
  ASSERT_TRUE(shelf.take(file, 10));
  EXPECT_EQ(shelf.take(file, 10)->load_seconds, 0);
  std::ofstream(file) << "another";
  EXPECT_GT(shelf.take(file, 10)->load_seconds, 0);
  EXPECT_EQ(shelf.models_resident(), 1u);
  std::filesystem::remove(file);  // what is in memory can still be used
  EXPECT_EQ(shelf.take(file, 10)->load_seconds, 0);
  std::filesystem::remove_all(folder);
}

TEST_F(ModelShelfTest, ResidentsAreTold) {
  ModelShelf shelf(loader, clock, 1000);
  auto loan = shelf.take("one", 10);
  clock.now += 5;
  const Resident one = shelf.residents().at(0);
  EXPECT_EQ(one.bytes, 40u);
  EXPECT_EQ(one.load_seconds, 1);
  EXPECT_EQ(one.idle_seconds, 5);
  EXPECT_EQ(one.uses, 1u);
  EXPECT_TRUE(one.in_use);
}

TEST_F(ModelShelfTest, GuestsCountAsLongAsTheyStay) {
  ModelShelf shelf(loader, clock, 100);
  ASSERT_TRUE(shelf.take("one", 10));
  ASSERT_TRUE(shelf.take("two", 10));
  auto guest = shelf.admit({.file = "encoder", .bytes = 30, .kind = ModelKind::Encoder});
  ASSERT_TRUE(guest) << guest.error().message();
  EXPECT_EQ(shelf.models_resident(), 1u);  // one had to go
  EXPECT_EQ(shelf.bytes_resident(), 70u);
  auto used = shelf.take("two", 10);
  auto refused = shelf.admit({.file = "reranker", .bytes = 40});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OverBudget);
  guest = Error{};
  EXPECT_EQ(shelf.bytes_resident(), 40u);
  EXPECT_TRUE(shelf.admit({.file = "reranker", .bytes = 40}));
}

// Loads in the background until it is told to go on, or given up.
class HeldLoader final : public ModelLoader {
 public:
  Result<uint64_t> bytes_needed(const std::filesystem::path&, uint32_t) override { return 40; }
  Result<LoadedModel> load(const std::filesystem::path&, uint32_t) override {
    ++loads;
    return LoadedModel{};
  }
  Result<LoadedModel> load_unless(const StopFlag& stop, const std::filesystem::path& file,
                                  uint32_t tokens) override {
    started.set_value();
    while (!go_on && !stop.raised()) std::this_thread::yield();
    if (stop.raised()) return Error{ErrorCode::Interrupted, "given up", file.string(), ""};
    return load(file, tokens);
  }
  std::promise<void> started;
  std::atomic<bool> go_on{false};
  std::atomic<int> loads{0};
};

TEST_F(ModelShelfTest, InTheBackgroundNothingIsPutAway) {
  ModelShelf shelf(loader, clock, 100);
  ASSERT_TRUE(shelf.take("one", 10));
  StopFlag stop;
  auto spare = shelf.take_spare("two", 10, stop);
  ASSERT_TRUE(spare) << spare.error().message();
  EXPECT_EQ(shelf.models_resident(), 2u);
  StopFlag other;
  auto second = shelf.take_spare("one", 10, other);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
  spare = Error{};
  auto third = shelf.take_spare("three", 10, other);  // 120 of 100
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::OverBudget);
  EXPECT_EQ(shelf.models_resident(), 2u);
  EXPECT_TRUE(shelf.take_spare("one", 10, other));
}

TEST_F(ModelShelfTest, OthersAreServedWhileItLoadsInTheBackground) {
  HeldLoader held;
  ModelShelf shelf(held, clock, 100);
  StopFlag stop;
  auto spare = std::async(std::launch::async, [&] { return shelf.take_spare("large", 10, stop); });
  held.started.get_future().wait();
  EXPECT_EQ(shelf.bytes_resident(), 40u);  // set aside
  EXPECT_TRUE(shelf.take("small", 10));    // does not wait
  auto same = std::async(std::launch::async, [&] { return shelf.take("large", 10); });
  held.go_on = true;
  auto taken = same.get();
  ASSERT_TRUE(taken) << taken.error().message();
  EXPECT_EQ(taken->load_seconds, 0);
  EXPECT_TRUE(spare.get());
  EXPECT_EQ(held.loads, 2);  // each once
}

TEST_F(ModelShelfTest, WhatLoadsInTheBackgroundMakesRoom) {
  HeldLoader held;
  ModelShelf shelf(held, clock, 70);
  StopFlag stop;
  auto spare = std::async(std::launch::async, [&] { return shelf.take_spare("large", 10, stop); });
  held.started.get_future().wait();
  EXPECT_TRUE(shelf.take("small", 10)) << "80 of 70";
  EXPECT_TRUE(stop.raised());
  auto given_up = spare.get();
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().code, ErrorCode::Interrupted);
  EXPECT_EQ(shelf.bytes_resident(), 40u);
}

TEST_F(ModelShelfTest, WhatIsHeldInTheBackgroundMakesRoomToo) {
  ModelShelf shelf(loader, clock, 70);
  StopFlag stop;
  auto spare = shelf.take_spare("large", 10, stop);
  ASSERT_TRUE(spare);
  auto small = std::async(std::launch::async, [&] { return shelf.take("small", 10); });
  while (!stop.raised()) std::this_thread::yield();
  spare = Error{};
  EXPECT_TRUE(small.get());
  EXPECT_EQ(shelf.models_resident(), 1u);
}

}  // namespace
}  // namespace tinyarms::tiers
