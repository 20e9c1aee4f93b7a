#include "base/nearest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tinyarms {
namespace {

const std::vector<std::string> kKeys = {"threshold", "threads", "offline", "temperature", "l2",
                                        "qwen2.5-coder-3b-instruct.q4_k_m"};

TEST(Nearest, FindsEachKindOfSlip) {
  EXPECT_EQ(nearest("treshold", kKeys), "threshold");    // missing letter
  EXPECT_EQ(nearest("threshoold", kKeys), "threshold");  // extra letter
  EXPECT_EQ(nearest("ofgline", kKeys), "offline");       // wrong letter
  EXPECT_EQ(nearest("thraeds", kKeys), "threads");       // swapped neighbours
  EXPECT_EQ(nearest("Temperature", kKeys), "temperature");
}

TEST(Nearest, ASwapCountsOnce) {
  // Two edits without swaps, which "ab" does not allow.
  EXPECT_EQ(nearest("ba", std::vector<std::string>{"ab"}), "ab");
}

TEST(Nearest, TheCloserWordWinsAndTheFirstOfTwoEqual) {
  EXPECT_EQ(nearest("thread", kKeys), "threads");
  EXPECT_EQ(nearest("cat", std::vector<std::string>{"bat", "hat"}), "bat");
  EXPECT_EQ(nearest("cat", std::vector<std::string>{"bat", "cat"}), "cat");
}

TEST(Nearest, ABeginningIsNear) {
  EXPECT_EQ(nearest("qwen", kKeys), "qwen2.5-coder-3b-instruct.q4_k_m");
  EXPECT_EQ(nearest("qw", kKeys), std::nullopt);
}

TEST(Nearest, SuggestsNothingFarFetched) {
  EXPECT_EQ(nearest("banana", kKeys), std::nullopt);
  EXPECT_EQ(nearest("", kKeys), std::nullopt);
  EXPECT_EQ(nearest("x", std::vector<std::string>{"y"}), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
  EXPECT_EQ(nearest("x", std::vector<std::string>{""}), std::nullopt);
}

TEST(Nearest, HugeWordsAreLeftAlone) {
  const std::string huge(10'000'000, 'a');
  EXPECT_EQ(nearest(huge, kKeys), std::nullopt);
  EXPECT_EQ(nearest("aaa", std::vector<std::string>{huge}), std::nullopt);
}

}  // namespace
}  // namespace tinyarms
