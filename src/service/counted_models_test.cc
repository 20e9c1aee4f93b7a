#include "service/counted_models.h"

#include <gtest/gtest.h>

#include "storage/test_folder.h"

namespace tinyarms::service {
namespace {

class NoModels final : public tiers::ModelLoader {
 public:
  Result<uint64_t> bytes_needed(const std::filesystem::path&, uint32_t) override { return 40; }
  Result<tiers::LoadedModel> load(const std::filesystem::path&, uint32_t) override {
    return tiers::LoadedModel{};
  }
};

class ConstantReranker final : public engine::Reranker {
 public:
  std::string_view backend() const override { return "constant"; }
  Result<std::vector<engine::PassageScore>> score(const std::string&,
                                                  std::span<const std::string> passages,
                                                  const StopFlag&) override {
    return std::vector<engine::PassageScore>(passages.size(), {.score = 1});
  }
};

class CountedModelsTest : public testing::Test {
 protected:
  Result<std::unique_ptr<engine::Reranker>> load(uint64_t bytes, const Counting& counting) {
    engine::ModelFacts facts;
    facts.path = "reranker.gguf";
    return load_counted_reranker(facts, bytes, counting,
                                 [this]() -> Result<std::unique_ptr<engine::Reranker>> {
                                   ++loads;
                                   if (broken) return Error{ErrorCode::Corrupt, "broken", "", ""};
                                   return Result<std::unique_ptr<engine::Reranker>>(
                                       std::make_unique<ConstantReranker>());
                                 });
  }

  storage::HandClock clock;
  NoModels loader;
  tiers::ModelShelf shelf{loader, clock, 100};
  int loads = 0;
  bool broken = false;
};

TEST_F(CountedModelsTest, CountsForAsLongAsItLives) {
  auto reranker = load(30, {.shelf = &shelf, .use = "rerank"});
  ASSERT_TRUE(reranker) << reranker.error().message();
  EXPECT_EQ(shelf.bytes_resident(), 30u);
  EXPECT_EQ((*reranker)->backend(), "constant");
  const std::vector<std::string> passages = {"a", "b"};
  auto scores = (*reranker)->score("q", passages, StopFlag());
  ASSERT_TRUE(scores);
  EXPECT_EQ(scores->size(), 2u);
  reranker = Error{};
  EXPECT_EQ(shelf.bytes_resident(), 0u);
}

TEST_F(CountedModelsTest, WhatDoesNotFitIsNotLoaded) {
  auto refused = load(101, {.shelf = &shelf});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OverBudget);
  EXPECT_EQ(loads, 0);
  EXPECT_TRUE(load(101, {}));  // nobody counts
}

TEST_F(CountedModelsTest, WhatCouldNotBeLoadedTakesNoRoom) {
  broken = true;
  auto failed = load(30, {.shelf = &shelf});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::Corrupt);
  EXPECT_EQ(shelf.bytes_resident(), 0u);
}

}  // namespace
}  // namespace tinyarms::service
