#include "base/utf8.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace tinyarms {
namespace {

std::string encode(uint32_t code) {
  std::string text;
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xF0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
  return text;
}

TEST(Utf8, EveryCodePointIsJudgedRightly) {
  for (uint32_t code = 0; code < 0x120000; ++code) {
    const bool valid = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    ASSERT_EQ(!find_invalid_utf8(encode(code)), valid) << code;
  }
}

TEST(Utf8, NamesTheFirstInvalidByte) {
  EXPECT_EQ(find_invalid_utf8(""), std::nullopt);
  EXPECT_EQ(find_invalid_utf8(std::string_view("a\0b", 3)), std::nullopt);
  EXPECT_EQ(find_invalid_utf8("héllo\xFF"), 6U);
  EXPECT_EQ(find_invalid_utf8("a\x80"), 1U);              // a tail alone
  EXPECT_EQ(find_invalid_utf8("ab\xC0\xAF"), 2U);         // overlong "/"
  EXPECT_EQ(find_invalid_utf8("\xE0\x9F\xBF"), 0U);       // overlong
  EXPECT_EQ(find_invalid_utf8("\xF0\x8F\xBF\xBF"), 0U);   // overlong
  EXPECT_EQ(find_invalid_utf8("x\xE2\x82"), 1U);          // cut off
  EXPECT_EQ(find_invalid_utf8("x\xE2\x82y"), 1U);
  EXPECT_EQ(find_invalid_utf8("\xF5\x80\x80\x80"), 0U);
}

TEST(Utf8, AStreamCutAnywhereShowsWholeCharacters) {
  const std::string text = "aé€😀z";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string_view seen(text.data(), cut);
    const size_t whole = complete_utf8_prefix(seen);
    EXPECT_FALSE(find_invalid_utf8(seen.substr(0, whole))) << cut;
    EXPECT_LT(cut - whole, 4U);
    // No more is held back than the character that is open.
    const bool boundary = !find_invalid_utf8(seen);
    EXPECT_EQ(whole == cut, boundary) << cut;
  }
}

TEST(Utf8, InvalidBytesAreNotHeldBack) {
  EXPECT_EQ(complete_utf8_prefix("a\x80"), 2U);
  EXPECT_EQ(complete_utf8_prefix("\x80\x80\x80\x80"), 4U);
  EXPECT_EQ(complete_utf8_prefix("a\xFF"), 2U);
  // These beginnings can never become a character: waiting for more would hold them for ever.
  EXPECT_EQ(complete_utf8_prefix("a\xE0\x80"), 3U);
  EXPECT_EQ(complete_utf8_prefix("a\xED\xA0"), 3U);
  EXPECT_EQ(complete_utf8_prefix("a\xF0\x80\x80"), 4U);
  EXPECT_EQ(complete_utf8_prefix("a\xF4\x90"), 3U);
  EXPECT_EQ(complete_utf8_prefix("a\xE2\x82"), 1U);
}

TEST(Utf8, RandomBytesAreSafeAtEveryLength) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 12, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const size_t whole = complete_utf8_prefix(bytes);
    ASSERT_LE(whole, bytes.size()) << seed;
    ASSERT_LE(bytes.size() - whole, 3U) << seed;
    if (const auto at = find_invalid_utf8(bytes)) {
      ASSERT_FALSE(find_invalid_utf8(std::string_view(bytes).substr(0, *at))) << seed;
    }
  }
}

}  // namespace
}  // namespace tinyarms
