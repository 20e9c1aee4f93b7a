#include "base/ascii.h"

#include <gtest/gtest.h>

namespace tinyarms {
namespace {

TEST(Ascii, LowersLettersOnly) {
  EXPECT_EQ(lowered("Ab-Z9_[@`{"), "ab-z9_[@`{");
  EXPECT_EQ(lowered("ÄÖ É"), "ÄÖ É") << "bytes beyond ASCII stay";
  EXPECT_EQ(lowered(""), "");
}

TEST(Ascii, TrimsBothEnds) {
  EXPECT_EQ(trimmed(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(trimmed("\v a"), "\v a") << "not a blank unless named";
  EXPECT_EQ(trimmed("``x`", "`"), "x");
  EXPECT_EQ(trimmed(" \n "), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Ascii, KnowsDigitsAndCaseOfEveryByte) {
  int digits = 0;
  int uppers = 0;
  int lowers = 0;
  for (int value = -128; value < 128; ++value) {
    const char c = static_cast<char>(value);
    digits += is_digit(c);
    uppers += is_upper(c);
    lowers += is_lower(c);
    EXPECT_EQ(is_ascii_letter(c), is_upper(c) || is_lower(c));
    if (is_upper(c)) {
      EXPECT_TRUE(is_lower(lower_case(c)));
    } else {
      EXPECT_EQ(lower_case(c), c);
    }
  }
  EXPECT_EQ(digits, 10);
  EXPECT_EQ(uppers, 26);
  EXPECT_EQ(lowers, 26);
}

}  // namespace
}  // namespace tinyarms
