#include "catalog/previous_version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "base/sha256.h"
#include "catalog/tiny_gguf_test.h"

namespace tinyarms::catalog {
namespace {

class PreviousVersionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "versions-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    store_ = ModelStore(folder_ / "models");
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  // Version `number` comes in as "m" in place of version `over`; 0: of none.
  Result<InstalledModel> bring(int number, int over) {
    const std::string bytes = version(number);
    const auto file = folder_ / "staged.gguf";
    std::ofstream(file, std::ios::binary) << bytes;
    return store_.adopt(file, {.name = "m",
                               .source_note = "from " + std::to_string(number),
                               .sha256 = sha256_hex(bytes),
                               .replaces = over == 0 ? "" : sha256_hex(version(over))});
  }
  static std::string version(int number) {
    return testing::tiny_gguf("llama", static_cast<float>(number));
  }
  // The number of the version that a file holds, by the file and by its sidecar; 0: none there.
  int held(const ModelStore& store) const {
    const auto models = store.list();
    if (!models || models->empty()) return 0;
    const auto hash = sha256_file(models->front().path);
    for (int number = 1; number < 9; ++number) {
      if (!hash || *hash != sha256_hex(version(number))) continue;
      EXPECT_EQ(models->front().sha256, *hash);
      EXPECT_EQ(models->front().source, "from " + std::to_string(number));
      return number;
    }
    return -1;
  }
  int now() const { return held(store_); }
  int kept() const { return held(previous_versions(store_)); }

  std::filesystem::path folder_;
  ModelStore store_{""};
};

TEST_F(PreviousVersionTest, OneIsKeptOfTheOneReplacedAndNoOther) {
  ASSERT_TRUE(bring(1, 0));
  EXPECT_EQ(kept(), 0);
  auto second = bring(2, 1);
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(second->source, "from 2");
  EXPECT_EQ(now(), 2);
  EXPECT_EQ(kept(), 1);
  ASSERT_TRUE(bring(3, 2));
  EXPECT_EQ(now(), 3);
  EXPECT_EQ(kept(), 2);
  EXPECT_EQ(store_.list()->size(), 1U);
}

TEST_F(PreviousVersionTest, OnlyTheVersionThatWasMeantIsReplaced) {
  ASSERT_TRUE(bring(1, 0));
  EXPECT_EQ(bring(2, 0).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(bring(3, 2).error().code, ErrorCode::InvalidArgument);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "staged.gguf"));
  EXPECT_EQ(now(), 1);
  EXPECT_EQ(kept(), 0);
  ASSERT_TRUE(bring(1, 1));  // the same again
  EXPECT_EQ(kept(), 0);
}

TEST_F(PreviousVersionTest, GoesBackAndForward) {
  EXPECT_EQ(roll_back(store_, "m").error().code, ErrorCode::NotFound);
  ASSERT_TRUE(bring(1, 0));
  EXPECT_EQ(roll_back(store_, "m").error().code, ErrorCode::NotFound);
  ASSERT_TRUE(bring(2, 1));
  auto back = roll_back(store_, "m");
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->source, "from 1");
  EXPECT_EQ(now(), 1);
  EXPECT_EQ(kept(), 2);
  ASSERT_TRUE(roll_back(store_, "m"));
  EXPECT_EQ(now(), 2);
  EXPECT_EQ(kept(), 1);
  // Where the model itself was deleted by hand, what is kept takes its place.
  std::filesystem::remove(store_.folder() / "m.gguf");
  ASSERT_TRUE(roll_back(store_, "m"));
  EXPECT_EQ(now(), 1);
  EXPECT_EQ(kept(), 0);
}

TEST_F(PreviousVersionTest, WhatWasDamagedMeanwhileIsNotGoneBackTo) {
  ASSERT_TRUE(bring(1, 0));
  ASSERT_TRUE(bring(2, 1));
  const auto file = previous_versions(store_).folder() / "m.gguf";
  const auto written = std::filesystem::last_write_time(file);
  std::ofstream(file, std::ios::binary) << version(7);
  std::filesystem::last_write_time(file, written);
  EXPECT_EQ(roll_back(store_, "m").error().code, ErrorCode::Corrupt);
  EXPECT_EQ(now(), 2);
  for (const char* name : {"../m", "", "m.gguf", ".previous/m"}) {
    EXPECT_EQ(roll_back(store_, name).error().code, ErrorCode::NotFound) << name;
  }
}

TEST_F(PreviousVersionTest, AStepThatWasDoneBeforeAKillIsDoneOnce) {
  ASSERT_TRUE(bring(1, 0));
  ASSERT_TRUE(keep_previous(store_, "m"));  // and killed
  EXPECT_EQ(kept(), 1);
  ASSERT_TRUE(bring(2, 1));
  EXPECT_EQ(now(), 2);
  EXPECT_EQ(kept(), 1);
  const auto folder = std::filesystem::directory_iterator(previous_versions(store_).folder());
  EXPECT_EQ(std::distance(folder, {}), 2);  // the file and its sidecar
}

TEST_F(PreviousVersionTest, PrunedByNameOrAltogetherAndGoneWithTheModel) {
  EXPECT_TRUE(prune_previous(store_, {})->empty());
  ASSERT_TRUE(bring(1, 0));
  ASSERT_TRUE(bring(2, 1));
  EXPECT_EQ(prune_previous(store_, {"m", "n"}).error().code, ErrorCode::NotFound);
  EXPECT_EQ(kept(), 1);
  EXPECT_EQ(prune_previous(store_, {"m", "m"})->size(), 1U);
  EXPECT_EQ(kept(), 0);
  EXPECT_EQ(now(), 2);
  ASSERT_TRUE(bring(3, 2));
  EXPECT_EQ(prune_previous(store_, {})->size(), 1U);
  ASSERT_TRUE(bring(4, 3));
  ASSERT_TRUE(store_.remove("m"));
  EXPECT_EQ(kept(), 0);
}

}  // namespace
}  // namespace tinyarms::catalog
