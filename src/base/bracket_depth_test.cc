#include "base/bracket_depth.h"

#include <gtest/gtest.h>

#include <string>

namespace tinyarms {
namespace {

TEST(BracketDepth, CountsBracketsOutsideOfStrings) {
  EXPECT_EQ(bracket_depth(""), 0);
  EXPECT_EQ(bracket_depth("1"), 0);
  EXPECT_EQ(bracket_depth(R"({"a": [1, {"b": []}], "c": {}})"), 4);
  EXPECT_EQ(bracket_depth(R"(["[[[", "\"[[", "\\", [1]])"), 2);
  EXPECT_EQ(bracket_depth(std::string(5000, '[')), 5000);
}

TEST(BracketDepth, TakesWhatIsCutOffOrWrong) {
  EXPECT_EQ(bracket_depth(R"(["\)"), 1);
  EXPECT_EQ(bracket_depth("]]]}[["), 0) << "what closes too much opens nothing";
}

}  // namespace
}  // namespace tinyarms
