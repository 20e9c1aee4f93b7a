#include "scan/display.h"

#include <gtest/gtest.h>

namespace tinyarms::scan {
namespace {

std::string frame(std::string_view text, uint32_t start, uint32_t end) {
  return code_frame(rules::TextIndex(text), {start, end}, {});
}

TEST(CodeFrame, OneLine) {
  EXPECT_EQ(frame("a\nx = f(1)\n", 6, 10), "  2 | x = f(1)\n    |     ^^^^\n");
  EXPECT_EQ(frame("\tf(1)\n", 1, 5), "  1 |     f(1)\n    |     ^^^^\n");
  EXPECT_EQ(frame("\xC3\xA4 = f\r\n", 5, 6), "  1 | \xC3\xA4 = f\n    |     ^\n");
  EXPECT_EQ(frame("", 0, 0), "  1 | \n    | ^\n");
}

TEST(CodeFrame, SeveralLinesWithoutTheirIndentation) {
  EXPECT_EQ(frame("f(\n  a)\n", 0, 7), "  1 | f(\n    | ^^\n  2 |   a)\n    |   ^^\n");
  std::string many;
  for (int i = 0; i < 50; ++i) many += "x\n";
  const std::string shown = frame(many, 0, 99);
  EXPECT_NE(shown.find("\xE2\x80\xA6 45 lines"), std::string::npos) << shown;
  EXPECT_NE(shown.find(" 50 | x"), std::string::npos) << shown;
}

TEST(CodeFrame, ALongLineIsCutAroundTheMatch) {
  const std::string text = std::string(5000, 'a') + "MATCH" + std::string(5000, 'b');
  const std::string shown = frame(text, 5000, 5005);
  EXPECT_LT(shown.size(), 500u);
  EXPECT_NE(shown.find("MATCH"), std::string::npos);
  EXPECT_NE(shown.find("^^^^^\n"), std::string::npos);
}

TEST(Harmless, NothingThatATerminalWouldActOn) {
  EXPECT_EQ(harmless("a\x1b[31m\x07\x7f"), "a\\x1b[31m\\x07\\x7f");
  EXPECT_EQ(harmless("\xC2\x9B"), "\\u009b");
  EXPECT_EQ(harmless("a\nb"), "a\\x0ab");
  EXPECT_EQ(harmless("a\nb", true), "a\nb");
}

TEST(FixPreview, ShowsTheLinesBeforeAndAfter) {
  const std::string text = "x = f(1)\ny\n";
  const rules::TextIndex index(text);
  EXPECT_EQ(fix_preview(index, {"", {4, 8}, "g(\n  1)"}, false),
            "   1 - x = f(1)\n   1 + x = g(\n   2 +   1)\n");
  EXPECT_EQ(fix_preview(index, {"", {0, 8}, ""}, false), "   1 - x = f(1)\n");
}

}  // namespace
}  // namespace tinyarms::scan
