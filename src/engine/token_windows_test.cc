#include "engine/token_windows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace tinyarms::engine {
namespace {

std::vector<int32_t> counting(size_t count) {
  std::vector<int32_t> ids(count);
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

TEST(TokenWindows, CoverEveryTokenOnceWithSpecialTokensAroundEach) {
  for (size_t count = 0; count < 40; ++count) {
    const auto split =
        split_into_windows(counting(count), {.window = 8, .begin = 101, .end = 102});
    std::vector<int32_t> seen;
    for (const auto& window : split.windows) {
      ASSERT_LE(window.size(), 8u);
      EXPECT_EQ(window.front(), 101);
      EXPECT_EQ(window.back(), 102);
      seen.insert(seen.end(), window.begin() + 1, window.end() - 1);
    }
    EXPECT_EQ(seen, counting(count));
    EXPECT_EQ(split.windows.size(), std::max<size_t>(1, (count + 5) / 6));
    EXPECT_FALSE(split.truncated);
  }
}

TEST(TokenWindows, SayWhereATextIsTooLongEvenInParts) {
  const size_t fits = kWindowsMax * 3;
  EXPECT_FALSE(split_into_windows(counting(fits), {.window = 3, .begin = {}, .end = {}}).truncated);
  const auto split =
      split_into_windows(counting(fits + 1), {.window = 3, .begin = {}, .end = {}});
  EXPECT_TRUE(split.truncated);
  EXPECT_EQ(split.windows.size(), kWindowsMax);
}

TEST(PoolWindows, WeighsByTokensAndHasLengthOne) {
  const std::vector<std::vector<int32_t>> windows = {{1, 2, 3}, {4}};
  const std::vector<float> vectors = {1, 0, 0, 1};
  const auto pooled = pool_windows(vectors, windows, 2);
  ASSERT_EQ(pooled.size(), 2u);
  EXPECT_NEAR(pooled[0], 3 / std::sqrt(10.0), 1e-6);
  EXPECT_NEAR(pooled[1], 1 / std::sqrt(10.0), 1e-6);
}

TEST(PoolWindows, RefusesWhatHasNoDirection) {
  const std::vector<std::vector<int32_t>> windows = {{1}, {2}};
  EXPECT_TRUE(pool_windows(std::vector<float>{1, 0, -1, 0}, windows, 2).empty());
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(pool_windows(std::vector<float>{1, nan, 1, 0}, windows, 2).empty());
}

}  // namespace
}  // namespace tinyarms::engine
