#include "gate/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

namespace tinyarms::gate {
namespace {

using testing::HasSubstr;

struct Case {
  std::string kind;
  std::string one;
  std::string other;
};

// The lines of a file in testdata/, split at tabs; the last two fields are the questions.
std::vector<Case> cases(const char* name) {
  const char* source = std::getenv("TINYARMS_SOURCE");
  std::ifstream file(std::filesystem::path(source == nullptr ? "." : source) / "src" / "gate" /
                     "testdata" / name);
  std::vector<Case> all;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const size_t last = line.rfind('\t');
    const size_t first = line.rfind('\t', last - 1);
    const size_t begin = first == line.npos ? 0 : first + 1;
    all.push_back({line.substr(0, begin), line.substr(begin, last - begin), line.substr(last + 1)});
  }
  return all;
}

TEST(GateTest, NoneOfTheAdversarialPairsPasses) {
  const Gate gate = Gate::bundled();
  const std::vector<Case> pairs = cases("adversarial.tsv");
  ASSERT_GE(pairs.size(), 400U);
  for (const Case& pair : pairs) {
    const Verdict verdict = gate.compare(pair.one, pair.other);
    EXPECT_FALSE(verdict.same) << pair.one << " | " << pair.other;
    EXPECT_FALSE(verdict.why.empty());
    EXPECT_FALSE(gate.compare(pair.other, pair.one).same) << pair.other << " | " << pair.one;
  }
}

TEST(GateTest, TheParaphrasesPassBothWays) {
  const Gate gate = Gate::bundled();
  const std::vector<Case> pairs = cases("paraphrases.tsv");
  ASSERT_GE(pairs.size(), 40U);
  for (const Case& pair : pairs) {
    EXPECT_TRUE(gate.compare(pair.one, pair.other).same)
        << pair.one << " | " << pair.other << ": " << gate.compare(pair.one, pair.other).why;
    EXPECT_TRUE(gate.compare(pair.other, pair.one).same) << pair.other << " | " << pair.one;
  }
}

TEST(GateTest, SaysWhatDiffers) {
  const Gate gate = Gate::bundled();
  const auto difference = [&](const char* a, const char* b) {
    return difference_name(gate.compare(a, b).difference);
  };
  EXPECT_EQ(difference("sort ascending", "sort descending"), "opposite");
  EXPECT_EQ(difference("is it empty", "is it not empty"), "negation");
  EXPECT_EQ(difference("split into 3 parts", "split into 5 parts"), "number");
  EXPECT_EQ(difference("limit of 5 MB", "limit of 5 Mb"), "unit");
  EXPECT_EQ(difference("new in 1.2.3", "new in 1.2.4"), "version");
  EXPECT_EQ(difference("what is user_id", "what is userId"), "identifier");
  EXPECT_EQ(difference("open a/b.py", "open b/a.py"), "path");
  EXPECT_EQ(difference("what does `a b` do", "what does `a  b` do"), "quote");
  EXPECT_EQ(difference("sort in Rust", "sort in Perl"), "context");
  EXPECT_EQ(difference("list to tuple", "tuple to list"), "order");
  EXPECT_THAT(gate.compare("sort ascending", "sort descending").why, HasSubstr("“ascending”"));
}

TEST(GateTest, LongTextsAndLaidOutCodeAreRefused) {
  const Gate gate = Gate::bundled();
  const std::string text(100'000, 'a');
  EXPECT_EQ(gate.compare(text, text).difference, Difference::Length);
  EXPECT_FALSE(gate.compare("if x:\n    f()\ng()", "if x:\n    f()\n    g()").same);
  EXPECT_FALSE(gate.compare("", "").same);
  EXPECT_TRUE(gate.compare("mutex", "Mutex?").same);
}

TEST(GateTest, AnyBytesAreTakenAndTheVerdictIsSymmetric) {
  const Gate gate = Gate::bundled();
  const unsigned seed = 20261128;
  std::mt19937 random(seed);
  const std::string_view alphabet = "ab A'\"`.,-_/()?!\n\t12%\xe2\x80\x99\xff\x00in to";
  for (int round = 0; round < 3000; ++round) {
    std::string one;
    std::string other;
    for (int i = 0; i < 24; ++i) one += alphabet[random() % alphabet.size()];
    for (int i = 0; i < 24; ++i) other += alphabet[random() % alphabet.size()];
    EXPECT_EQ(gate.compare(one, other).same, gate.compare(other, one).same) << "seed " << seed;
  }
}

TEST(LexiconTest, MistakesAreNamedWithTheirLine) {
  auto twice = Lexicon::read({{"same.txt", "a b\nc b\n"}});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().where, "same.txt:2");
  EXPECT_FALSE(Lexicon::read({{"phrases.txt", "how (to = \n"}}));
  EXPECT_FALSE(Lexicon::read({{"opposites.txt", "one\n"}}));
  EXPECT_TRUE(Lexicon::read(word_lists()));
}

TEST(LexiconTest, NoOppositesStandForEachOther) {
  const Lexicon lexicon = Lexicon::bundled();
  for (const EmbeddedFile& file : word_lists()) {
    if (file.name != "opposites.txt") continue;
    std::string_view bytes = file.bytes;
    while (!bytes.empty()) {
      const size_t end = std::min(bytes.find('\n'), bytes.size());
      const std::string line(bytes.substr(0, end));
      bytes.remove_prefix(std::min(end + 1, bytes.size()));
      const size_t blank = line.find(' ');
      if (line.empty() || line[0] == '#' || blank == line.npos) continue;
      EXPECT_NE(lexicon.same(line.substr(0, blank)), lexicon.same(line.substr(blank + 1))) << line;
    }
  }
}

}  // namespace
}  // namespace tinyarms::gate
