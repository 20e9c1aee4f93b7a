#include "engine/ranking.h"

#include <gtest/gtest.h>

namespace tinyarms::engine {
namespace {

// The score of a passage is the number it spells.
class Numbers final : public Reranker {
 public:
  std::string_view backend() const override { return "numbers"; }
  Result<std::vector<PassageScore>> score(const std::string&, std::span<const std::string> passages,
                                          const StopFlag&) override {
    std::vector<PassageScore> scores;
    for (const std::string& passage : passages) scores.push_back({.score = std::stod(passage)});
    looked_at += passages.size();
    return scores;
  }
  size_t looked_at = 0;
};

std::vector<size_t> indices(const std::vector<RankedPassage>& ranked) {
  std::vector<size_t> all;
  for (const RankedPassage& each : ranked) all.push_back(each.index);
  return all;
}

TEST(RankingTest, BestFirstAndEqualOnesInTheirOrder) {
  Numbers numbers;
  const StopFlag stop;
  const std::vector<std::string> passages = {"1", "3", "2", "3", "0"};
  auto ranked = rank_passages(numbers, "q", passages, {.top = 4, .margin = {}}, stop);
  ASSERT_TRUE(ranked);
  EXPECT_EQ(indices(*ranked), (std::vector<size_t>{1, 3, 2, 0}));
  EXPECT_TRUE(rank_passages(numbers, "q", {}, {}, stop)->empty());
}

TEST(RankingTest, LeavesEarlyWhereTheMarginIsClear) {
  Numbers numbers;
  const StopFlag stop;
  const std::vector<std::string> passages = {"9", "8", "7", "1", "2", "1", "0", "9"};
  const RankingOptions options{.top = 2, .margin = 5, .block = 2};
  auto ranked = rank_passages(numbers, "q", passages, options, stop);
  ASSERT_TRUE(ranked);
  EXPECT_EQ(numbers.looked_at, 6u) << "7 is near, 2 is far below 8";
  EXPECT_EQ(indices(*ranked), (std::vector<size_t>{0, 1}));
  numbers.looked_at = 0;
  auto all = rank_passages(numbers, "q", passages, {.top = 8, .margin = 5, .block = 2}, stop);
  ASSERT_TRUE(all);
  EXPECT_EQ(numbers.looked_at, 8u) << "all are wanted";
}

TEST(RankingTest, WhatWasNotLookedAtComesLast) {
  Numbers numbers;
  const StopFlag stop;
  const std::vector<std::string> passages = {"9", "8", "1", "1", "5", "6"};
  auto ranked = rank_passages(numbers, "q", passages, {.top = 2, .margin = 5, .block = 2}, stop);
  ASSERT_TRUE(ranked);
  EXPECT_EQ(numbers.looked_at, 4u);
  EXPECT_EQ(indices(*ranked), (std::vector<size_t>{0, 1}));
}

TEST(FitPairTest, CutsTheLongerOneFirst) {
  const auto fit = [](size_t query, size_t passage, size_t room) {
    const PairLengths left = fit_pair({query, passage}, room);
    return std::pair(left.query, left.passage);
  };
  EXPECT_EQ(fit(3, 4, 9), std::pair(size_t{3}, size_t{4}));
  EXPECT_EQ(fit(3, 40, 9), std::pair(size_t{3}, size_t{6}));
  EXPECT_EQ(fit(40, 3, 9), std::pair(size_t{6}, size_t{3}));
  EXPECT_EQ(fit(40, 40, 9), std::pair(size_t{4}, size_t{5}));
  EXPECT_EQ(fit(50, 40, 9), std::pair(size_t{5}, size_t{4}));
  EXPECT_EQ(fit(7, 7, 0), std::pair(size_t{0}, size_t{0}));
}

}  // namespace
}  // namespace tinyarms::engine
