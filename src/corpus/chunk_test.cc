#include "corpus/chunk.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "corpus/words.h"

namespace tinyarms::corpus {
namespace {

using testing::ElementsAre;

std::vector<std::string> shown(const std::vector<Passage>& passages) {
  std::vector<std::string> lines;
  for (const Passage& each : passages) {
    lines.push_back(
        fmt::format("{}-{} {} {}", each.first_line, each.last_line, each.kind, each.symbol));
  }
  return lines;
}

TEST(Chunk, FunctionsClassesAndWhatIsBetween) {
  EXPECT_THAT(shown(chunk("import operator, sys, json\n"
                          "\n"
                          "def first(x):\n"
                          "    return operator.neg(x)\n"
                          "\n"
                          "class Box:\n"
                          "    def put(self, thing): self.thing = thing\n",
                          "python")),
              ElementsAre("1-1 code ", "3-4 function first", "6-7 class Box"));
}

TEST(Chunk, ALargeClassGivesItsHeadAndItsMembers) {
  std::string code = "class Large:\n    \"\"\"Holds many things.\"\"\"\n";
  for (int i = 0; i < 30; ++i) {
    code += fmt::format("    def method_{}(self):\n        return compute({})\n", i, i);
  }
  const auto passages = chunk(code, "python");
  ASSERT_EQ(passages.size(), 31U);
  EXPECT_EQ(shown(passages)[0], "1-2 class Large");
  EXPECT_EQ(shown(passages)[1], "3-4 function Large.method_0");
}

TEST(Chunk, AnOverlongFunctionIsCutIntoPieces) {
  std::string code = "def long():\n";
  for (int i = 0; i < 150; ++i) code += fmt::format("    value_{} = {}\n", i, i);
  const auto passages = chunk(code, "python");
  ASSERT_GE(passages.size(), 3U);
  for (const Passage& each : passages) EXPECT_EQ(each.symbol, "long");
  EXPECT_EQ(passages.front().first_line, 1U);
  EXPECT_EQ(passages.back().last_line, 151U);
}

TEST(Chunk, MarkdownByHeadingsOutsideOfFences) {
  EXPECT_THAT(shown(chunk("Some words before it.\n"
                          "# Install\n"
                          "text that tells something\n"
                          "```\n# no heading at all\n```\n"
                          "## Linux ##\n"
                          "apt and more of it\n"
                          "\nUsage\n-----\n"
                          "run the thing with care\n",
                          "markdown")),
              ElementsAre("1-1 section ", "2-6 section Install", "7-8 section Install > Linux",
                          "10-12 section Install > Usage"));
}

TEST(Chunk, UnderlinedHeadings) {
  EXPECT_THAT(shown(chunk("Title here\n==========\n\nSome text here.\n\nPart one\n--------\n\nMore "
                          "text here.\n",
                          "rst")),
              ElementsAre("1-4 section Title here", "6-9 section Title here > Part one"));
}

// Whatever the text: every telling line is in a passage, in order, and passages do not overlap
// except where one line was cut.
TEST(Chunk, CoversEveryTellingLineOfAnyText) {
  const unsigned seed = 7;
  std::mt19937 random(seed);
  const std::vector<std::string> pieces = {
      "def f(x):\n", "    return some_value_here\n", "class A:\n", "\n", "# heading of this\n",
      "```\n", "text text text text text\n", "}{ ((\n", "\"\"\"\n", "  indented line of words\n",
      "ünïcödé wörds äöü\n", "====\n"};
  for (int round = 0; round < 200; ++round) {
    std::string text;
    const auto length = random() % 60;
    for (size_t i = 0; i < length; ++i) text += pieces[random() % pieces.size()];
    for (const char* language : {"python", "markdown", "rst", "text", "cpp"}) {
      uint32_t last = 0;
      for (const Passage& each : chunk(text, language, {.bytes = 200, .lines = 8})) {
        ASSERT_GE(each.first_line, last) << "seed " << seed << " round " << round << language;
        ASSERT_GE(each.last_line, each.first_line);
        last = each.last_line;
      }
    }
  }
}

TEST(Words, IdentifiersAreTakenApartAndKept) {
  EXPECT_EQ(index_words("parseHTTPHeader(config_file)"),
            "parse http header parsehttpheader config file configfile");
  EXPECT_EQ(index_words("sha256 __init__ X"), "sha256 init x");
  EXPECT_EQ(index_words("größe"), "größe");
  EXPECT_EQ(index_words(""), "");
}

TEST(Words, QuestionsLoseTheWordsThatSayNothing) {
  EXPECT_EQ(query_words("Where is the config parsed in Python?"), "config parsed");
  EXPECT_EQ(query_words("what is this"), "what is this");
  EXPECT_EQ(query_words("config config Config"), "config");
  EXPECT_EQ(query_words(std::string(100000, 'x') + " word"), "word");
}

}  // namespace
}  // namespace tinyarms::corpus
