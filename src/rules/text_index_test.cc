#include "rules/text_index.h"

#include <gtest/gtest.h>

#include <string>

namespace tinyarms::rules {
namespace {

TEST(TextIndex, LinesAndCharacterColumns) {
  const std::string text = "a\xC3\xA4" "b\r\n\xE2\x82\xAC" "c\n";
  const TextIndex index(text);
  EXPECT_EQ(index.lines(), 3u);
  EXPECT_EQ(index.line(0), "a\xC3\xA4" "b\r");
  EXPECT_EQ(index.line(2), "");
  EXPECT_EQ(index.position(3).column, 2u) << "behind a character of two bytes";
  EXPECT_EQ(index.position(9).line, 1u);
  EXPECT_EQ(index.position(9).column, 1u);
  EXPECT_EQ(index.position(1000).line, 2u);
}

TEST(TextIndex, AgreesWithCountingOnALongLine) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += i % 7 == 0 ? "\xC3\xA4" : i % 911 == 0 ? "\n" : "x";
  const TextIndex index(text);
  uint32_t line = 0;
  uint32_t column = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    const CharPosition position = index.position(i);
    ASSERT_EQ(position.line, line) << i;
    ASSERT_EQ(position.column, column) << i;
    ++column;
    if (text[i] == '\n') {
      ++line;
      column = 0;
    }
  }
}

TEST(TextIndex, EmptyText) {
  const TextIndex index("");
  EXPECT_EQ(index.lines(), 1u);
  EXPECT_EQ(index.position(0).line, 0u);
  EXPECT_EQ(index.line(0), "");
}

TEST(TextIndex, BytesOfCharacters) {
  EXPECT_EQ(bytes_of_characters("a\xC3\xA4" "b", 2), 3u);
  EXPECT_EQ(bytes_of_characters("ab", 9), 2u);
  EXPECT_EQ(bytes_of_characters("", 1), 0u);
}

}  // namespace
}  // namespace tinyarms::rules
