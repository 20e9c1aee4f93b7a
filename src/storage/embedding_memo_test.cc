#include "storage/embedding_memo.h"

#include <gtest/gtest.h>

#include <limits>

#include "storage/test_folder.h"

namespace tinyarms::storage {
namespace {

using Vectors = std::vector<std::vector<float>>;

class EmbeddingMemoTest : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    database_.reset();
    auto opened = Database::open(folder_ / "c.sqlite", clock_);
    ASSERT_TRUE(opened) << opened.error().message();
    database_ = std::move(opened->database);
  }

  TestFolder folder_;
  HandClock clock_;
  std::unique_ptr<Database> database_;
  const std::vector<std::string> texts_ = {"sort a list", "", "what is love"};
  const Vectors vectors_ = {{1, 2, 3}, {-0.5F, 0, 0}, {0, 0, 7}};
};

TEST_F(EmbeddingMemoTest, KeepsVectorsByEncoderAndText) {
  ASSERT_TRUE(EmbeddingMemo(*database_).put("encoder", texts_, vectors_));
  open();
  EmbeddingMemo memo(*database_);
  const std::vector<std::string> asked = {"what is love", "unknown", "", "sort a list"};
  auto found = memo.get("encoder", asked);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 4U);
  EXPECT_EQ((*found)[0], vectors_[2]);
  EXPECT_EQ((*found)[1], std::nullopt);
  EXPECT_EQ((*found)[2], vectors_[1]);
  EXPECT_EQ((*found)[3], vectors_[0]);
  auto other = memo.get("another encoder", texts_);
  ASSERT_TRUE(other);
  for (const auto& vector : *other) EXPECT_FALSE(vector);
}

TEST_F(EmbeddingMemoTest, PutsAllOrNone) {
  EmbeddingMemo memo(*database_);
  Vectors bad = vectors_;
  bad[2][0] = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(memo.put("encoder", texts_, bad));
  bad[2].clear();
  EXPECT_FALSE(memo.put("encoder", texts_, bad));
  EXPECT_FALSE(memo.put("encoder", texts_, std::span(vectors_).first(2)));
  auto found = memo.get("encoder", texts_);
  ASSERT_TRUE(found);
  for (const auto& vector : *found) EXPECT_FALSE(vector);
}

TEST_F(EmbeddingMemoTest, ReplacesAndDropsTheOldest) {
  EmbeddingMemo memo(*database_, 3);
  ASSERT_TRUE(memo.put("encoder", texts_, vectors_));
  ASSERT_TRUE(memo.put("encoder", std::vector<std::string>{"sort a list", "new"},
                       Vectors{{9, 9, 9}, {4, 4, 4}}));
  const std::vector<std::string> asked = {"sort a list", "", "what is love", "new"};
  auto found = memo.get("encoder", asked);
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)[0], (std::vector<float>{9, 9, 9}));
  EXPECT_EQ((*found)[1], std::nullopt);
  EXPECT_EQ((*found)[2], vectors_[2]);
  EXPECT_EQ((*found)[3], (std::vector<float>{4, 4, 4}));
}

TEST_F(EmbeddingMemoTest, AGarbledVectorIsUnknown) {
  EmbeddingMemo memo(*database_);
  ASSERT_TRUE(memo.put("encoder", texts_, vectors_));
  ASSERT_TRUE(database_->execute("UPDATE embeddings SET embedding = x'0102'"));
  auto found = memo.get("encoder", texts_);
  ASSERT_TRUE(found);
  for (const auto& vector : *found) EXPECT_FALSE(vector);
}

}  // namespace
}  // namespace tinyarms::storage
