#include "service/residency.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tiers/model_shelf.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;

class HandClock final : public Clock {
 public:
  double monotonic_seconds() const override { return now; }
  double wall_seconds() const override { return 1e9 + now; }
  double now = 0;
};

class EmptyLoader final : public tiers::ModelLoader {
 public:
  Result<uint64_t> bytes_needed(const fs::path&, uint32_t) override { return 40; }
  Result<tiers::LoadedModel> load(const fs::path&, uint32_t) override {
    return tiers::LoadedModel{};
  }
};

class ResidencyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = (fs::temp_directory_path() / "tinyarms-XXXXXX").string();
    ASSERT_NE(::mkdtemp(made.data()), nullptr);
    folder = fs::path(made) / "resident";
  }
  void TearDown() override { fs::remove_all(folder.parent_path()); }

  std::vector<HeldModel> seen() const { return held_models(folder, clock); }
  size_t files() const {
    if (!fs::exists(folder)) return 0;
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {}));
  }

  HandClock clock;
  EmptyLoader loader;
  fs::path folder;
};

TEST_F(ResidencyTest, ShowsWhatAShelfHoldsForAsLongAsItHoldsIt) {
  {
    tiers::ModelShelf shelf(loader, clock,
                            {.budget_bytes = 1000,
                             .idle_seconds = 60,
                             .kept = {"pinned"},
                             .watcher = std::make_shared<ResidencyFile>(folder, clock)});
    EXPECT_TRUE(seen().empty());
    auto loan = shelf.take("one.gguf", 10);
    ASSERT_TRUE(loan);
    clock.now += 5;
    ASSERT_EQ(seen().size(), 1u);
    EXPECT_EQ(seen()[0].model.file, "one.gguf");
    EXPECT_EQ(seen()[0].model.bytes, 40u);
    EXPECT_EQ(seen()[0].pid, ::getpid());
    EXPECT_TRUE(seen()[0].in_use);
    EXPECT_EQ(seen()[0].idle_seconds, 0);
    EXPECT_GT(seen()[0].process_bytes.value_or(0), 1u << 20);
    loan = Error{};
    clock.now += 7;
    ASSERT_TRUE(shelf.take("pinned", 10));
    ASSERT_EQ(seen().size(), 2u);
    EXPECT_FALSE(seen()[0].in_use);
    EXPECT_EQ(seen()[0].idle_seconds, 7);
    EXPECT_EQ(seen()[0].uses, 1u);
    EXPECT_TRUE(seen()[1].model.kept);
    clock.now += 60;
    shelf.put_away_idle();
    ASSERT_EQ(seen().size(), 1u);
    EXPECT_EQ(seen()[0].model.file, "pinned");
  }
  EXPECT_EQ(files(), 0u);
}

TEST_F(ResidencyTest, ShowsEncodersAndRerankersOnceTheyAreLoaded) {
  tiers::ModelShelf shelf(loader, clock,
                          {.budget_bytes = 1000,
                           .watcher = std::make_shared<ResidencyFile>(folder, clock)});
  tiers::ShelvedModel model{.file = "encoder.gguf",
                            .context_tokens = 256,
                            .bytes = 30,
                            .kind = tiers::ModelKind::Encoder,
                            .use = "l1"};
  auto guest = shelf.admit(model);
  ASSERT_TRUE(guest);
  EXPECT_TRUE(seen().empty());
  model.load_seconds = 2;
  (*guest)->loaded(model);
  ASSERT_EQ(seen().size(), 1u);
  EXPECT_EQ(seen()[0].model.kind, tiers::ModelKind::Encoder);
  EXPECT_EQ(seen()[0].model.use, "l1");
  EXPECT_EQ(seen()[0].model.bytes, 30u);
  EXPECT_EQ(seen()[0].model.load_seconds, 2);
  EXPECT_EQ(seen()[0].uses, 0u);
  // Each use counts; the file is written once a second.
  (*guest)->used();
  EXPECT_EQ(seen()[0].uses, 0u);
  clock.now += 1;
  (*guest)->used();
  EXPECT_EQ(seen()[0].uses, 2u);
  EXPECT_EQ(seen()[0].idle_seconds, 0);
  clock.now += 5;
  EXPECT_EQ(seen()[0].idle_seconds, 5);
  guest = Error{};
  EXPECT_TRUE(seen().empty());
}

TEST_F(ResidencyTest, FilesOfOlderProgramsAreRead) {
  tiers::ModelShelf shelf(loader, clock,
                          {.budget_bytes = 1000,
                           .watcher = std::make_shared<ResidencyFile>(folder, clock)});
  auto loan = shelf.take("one.gguf", 10);
  ASSERT_EQ(files(), 1u);
  const fs::path file = fs::directory_iterator(folder)->path();
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  auto json = nlohmann::json::parse(text.str());
  ASSERT_EQ(json["models"][0].erase("kind"), 1u);
  ASSERT_EQ(json["models"][0].erase("use"), 1u);
  std::ofstream(file) << json;
  ASSERT_EQ(seen().size(), 1u);
  EXPECT_EQ(seen()[0].model.kind, tiers::ModelKind::Language);
}

TEST_F(ResidencyTest, AModelIsShownUntilItsLastUserIsDone) {
  auto watcher = std::make_shared<ResidencyFile>(folder, clock);
  std::optional<tiers::ModelShelf::Loan> outlives;
  {
    tiers::ModelShelf gone(loader, clock, {.budget_bytes = 1000, .watcher = watcher});
    outlives = *gone.take("one", 10);
  }
  EXPECT_EQ(seen().size(), 1u);
  outlives.reset();
  EXPECT_TRUE(seen().empty());
}

TEST_F(ResidencyTest, FilesOfProcessesThatAreGoneAreRemoved) {
  const pid_t child = ::fork();
  if (child == 0) {
    ResidencyFile file(folder, clock);
    file.loaded(1, {.file = "left", .bytes = 1});
    ::_exit(0);  // as if killed: nothing is tidied up
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(files(), 1u);
  EXPECT_TRUE(seen().empty());
  EXPECT_EQ(files(), 0u);
}

TEST_F(ResidencyTest, WhatIsNoSuchFileIsPassedOver) {
  fs::create_directories(folder);
  std::ofstream(folder / "a.json") << "{";
  std::ofstream(folder / "b.json") << R"({"pid": "x"})";
  std::ofstream(folder / "c.json") << "[1, 2]";
  std::ofstream(folder / "d.txt") << "anything";
  EXPECT_TRUE(seen().empty());
  EXPECT_EQ(files(), 4u);
}

// Also where no model is left.
TEST_F(ResidencyTest, ShowsWhatIsKeptOfPrompts) {
  HeldPrefixes prefixes;
  ResidencyFile file(folder, clock, [&] { return prefixes; });
  file.loaded(1, {.file = "one", .bytes = 40});
  EXPECT_EQ(seen().size(), 1u);
  prefixes = {.count = 3, .bytes = 500};
  file.swept();
  ASSERT_EQ(seen().size(), 2u);
  EXPECT_EQ(seen()[1].model.kind, tiers::ModelKind::Prefixes);
  EXPECT_EQ(seen()[1].model.bytes, 500u);
  EXPECT_EQ(seen()[1].name(), "3 beginnings of prompts");
  file.put_away(1);
  prefixes.count = 1;
  file.swept();
  ASSERT_EQ(seen().size(), 1u);
  EXPECT_EQ(seen()[0].name(), "1 beginning of prompts");
  prefixes = {};
  file.swept();
  EXPECT_TRUE(seen().empty());
  EXPECT_EQ(files(), 0u);
}

}  // namespace
}  // namespace tinyarms::service
