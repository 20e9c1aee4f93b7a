#include "storage/question_key.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace tinyarms::storage {
namespace {

TEST(QuestionKey, FoldsWhatOnlyLooksDifferent) {
  const std::string plain = normalise_question("write a function that reverses a string");
  const std::vector<std::string> same = {
      "Write a function that reverses a string.",
      "  Write a\tfunction  that reverses a string?! ",
      "Write a function that reverses a string???",
      "\n\nwrite a function that reverses a string\r\n\r\n",
      "write\xC2\xA0" "a function that\xE3\x80\x80reverses\xE2\x80\x89 a string\xE3\x80\x82",
      "write a function that reverses a string\xE2\x80\xA6",
  };
  for (const std::string& question : same) {
    EXPECT_EQ(normalise_question(question), plain) << question;
  }
  EXPECT_EQ(normalise_question("first line  \r\n\r\n \t\n  second"), "first line\n  second");
  EXPECT_EQ(normalise_question("a\rb"), "a\nb");
}

TEST(QuestionKey, KeepsWhatMeansSomething) {
  const std::vector<std::pair<std::string, std::string>> different = {
      {"what is ls -R", "what is ls -r"},
      {"what is 5!", "what is 5"},
      {"what is n!", "what is n"},
      {"what is 2 ?", "what is 2"},
      {"what does foo()? mean", "what does foo() mean"},
      {"explain foo()?", "explain foo()"},
      {"explain `a  b`", "explain `a b`"},
      {"explain `abc?`", "explain `abc`"},
      {"print \"a  b\"", "print \"a b\""},
      {"fix:\nif x:\n  y", "fix:\nif x:\n    y"},
      {"fix:\nif x:\n\ty", "fix:\nif x:\n  y"},
      {"fix ```\na\n\n\nb\n```", "fix ```\na\n\nb\n```"},
      {"fix ```\na  b\n```", "fix ```\na b\n```"},
      {"LS is what", "ls is what"},
      {"I am", "i am"},
      {"write a\nfunction", "write a function"},
      {"", "?"},
  };
  for (const auto& [left, right] : different) {
    EXPECT_NE(normalise_question(left), normalise_question(right)) << left;
  }
}

TEST(QuestionKey, AnUnclosedTickOrQuoteIsText) {
  EXPECT_EQ(normalise_question("a ` b   c"), "a ` b c");
  EXPECT_EQ(normalise_question("5\"  wide\nand 7\"  high"), "5\" wide\nand 7\" high");
  EXPECT_EQ(normalise_question("a `` b  ` c"), "a `` b ` c");
  EXPECT_EQ(normalise_question("``a ` b  c``"), "``a ` b  c``");
}

TEST(QuestionKey, NothingIsLeftOfNothing) {
  EXPECT_EQ(normalise_question(""), "");
  EXPECT_EQ(normalise_question(" \r\n\t\xE3\x80\x80\n"), "");
}

// Any bytes, cut anywhere: no crash, and folding twice is folding once.
TEST(QuestionKey, IsIdempotentOnRandomText) {
  const std::vector<std::string> pieces = {" ",    "  ",   "\t", "\n",   "\r",  "\r\n", "`",
                                           "``",   "```",  "\"", "abc",  "Abc", "x",    ".",
                                           "?",    "!",    "5",  "\xC2", "\xA0", "\xE2\x80\x83",
                                           "\xE2", "\x80", "é",  "。",   "(",   ")"};
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (int i = static_cast<int>(random() % 14); i > 0; --i) {
      text += pieces[random() % pieces.size()];
    }
    const std::string once = normalise_question(text);
    ASSERT_EQ(normalise_question(once), once) << "seed " << seed << ", text: " << text;
  }
}

}  // namespace
}  // namespace tinyarms::storage
