#include "corpus/fusion.h"

#include <gtest/gtest.h>

namespace tinyarms::corpus {
namespace {

std::vector<int64_t> order(const std::vector<FusedRank>& fused) {
  std::vector<int64_t> ids;
  for (const FusedRank& each : fused) ids.push_back(each.id);
  return ids;
}

Rankings rankings() {
  return {.by_words = {{.id = 3, .bm25 = 20}, {.id = 9, .bm25 = 12}, {.id = 1, .bm25 = 2}},
          .by_vectors = {{.id = 1, .cosine = 0.50f}, {.id = 3, .cosine = 0.45f},
                         {.id = 7, .cosine = 0.40f}}};
}

TEST(Fusion, APointOfBm25CountsAsHundredthsOfACosine) {
  const auto fused = fuse(rankings(), {.words = 0.6, .vectors = 1});
  EXPECT_EQ(order(fused), (std::vector<int64_t>{3, 1, 9, 7}));
  EXPECT_NEAR(fused[0].score, 0.05 + 0.006 * 20, 1e-6);
  EXPECT_NEAR(fused[1].score, 0.10 + 0.006 * 2, 1e-6);
  EXPECT_NEAR(fused[2].score, 0.006 * 12, 1e-6);
}

TEST(Fusion, RanksAreThoseOfEachRanking) {
  const auto fused = fuse(rankings(), {});
  EXPECT_EQ(fused[0].word_rank, 1U);
  EXPECT_EQ(fused[0].vector_rank, 2U);
  EXPECT_EQ(fused[2].word_rank, 2U);
  EXPECT_EQ(fused[2].vector_rank, 0U);
  EXPECT_EQ(fused[3].word_rank, 0U);
}

TEST(Fusion, AWeightOfZeroLeavesTheOtherRankingAsItIs) {
  EXPECT_EQ(order(fuse(rankings(), {.words = 0, .vectors = 1})),
            (std::vector<int64_t>{1, 3, 7, 9}));
  EXPECT_EQ(order(fuse(rankings(), {.words = 1, .vectors = 0})),
            (std::vector<int64_t>{3, 9, 1, 7}));
}

TEST(Fusion, OneRankingAloneIsKept) {
  EXPECT_EQ(order(fuse({.by_words = rankings().by_words, .by_vectors = {}}, {})),
            (std::vector<int64_t>{3, 9, 1}));
  EXPECT_EQ(order(fuse({.by_words = {}, .by_vectors = rankings().by_vectors}, {})),
            (std::vector<int64_t>{1, 3, 7}));
  EXPECT_TRUE(fuse({}, {}).empty());
}

}  // namespace
}  // namespace tinyarms::corpus
