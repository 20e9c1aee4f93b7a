#include "encoder/wordpiece.h"

#include <gtest/gtest.h>

namespace tinyarms::encoder {
namespace {

enum Id : int32_t { kUnknown, kRun, kRunning, kNing, kCafe, kComma, kWorld, kKa, kA, kB, kBang };

WordPiece small_vocabulary(bool lower = true) {
  auto made = WordPiece::create({"[UNK]", "▁run", "▁running", "ning", "▁cafe", "▁,", "▁世", "▁か",
                                 "▁a", "b", "▁!"},
                                {.lower_case = lower, .strip_accents = lower, .unknown = 0});
  EXPECT_TRUE(made);
  return *made;
}

std::vector<int32_t> ids_of(std::string_view text, bool lower = true) {
  auto ids = small_vocabulary(lower).tokenize(text);
  EXPECT_TRUE(ids) << text;
  return ids ? *ids : std::vector<int32_t>{-1};
}

using Ids = std::vector<int32_t>;

TEST(WordPiece, TakesTheLongestPieces) {
  EXPECT_EQ(ids_of("running"), Ids({kRunning}));
  EXPECT_EQ(ids_of("runb"), Ids({kRun, kB}));
  EXPECT_EQ(ids_of("runx"), Ids({kUnknown}));  // no part of a word that is not covered is kept
  EXPECT_EQ(ids_of("run runx run"), Ids({kRun, kUnknown, kRun}));
}

TEST(WordPiece, SplitsAtSpacePunctuationAndChineseCharacters) {
  EXPECT_EQ(ids_of("run,run!\t\n run"), Ids({kRun, kComma, kRun, kBang, kRun}));
  EXPECT_EQ(ids_of("run世run"), Ids({kRun, kWorld, kRun}));
  EXPECT_EQ(ids_of("run\u3000run\u00a0run"), Ids({kRun, kRun, kRun}));
  EXPECT_EQ(ids_of(""), Ids());
  EXPECT_EQ(ids_of(" \n "), Ids());
}

TEST(WordPiece, LowersAndStripsAccentsOnlyWhereTheModelSaysSo) {
  EXPECT_EQ(ids_of("CAFÉ"), Ids({kCafe}));
  EXPECT_EQ(ids_of("cafe\u0301"), Ids({kCafe}));
  EXPECT_EQ(ids_of("が"), Ids({kKa}));
  EXPECT_EQ(ids_of("CAFÉ", false), Ids({kUnknown}));
  EXPECT_EQ(ids_of("cafe", false), Ids({kCafe}));
}

TEST(WordPiece, DropsWhatIsNotSeen) {
  EXPECT_EQ(ids_of(std::string("a\0b", 3)), Ids({kA, kB}));
  EXPECT_EQ(ids_of("a\u200bb\x01\u00ad"), Ids({kA, kB}));
  EXPECT_EQ(ids_of("\ufffd"), Ids());
}

TEST(WordPiece, TakesAWordOfAnyLength) {
  const auto ids = ids_of("a" + std::string(100'000, 'b'));
  ASSERT_EQ(ids.size(), 100'001u);
  EXPECT_EQ(ids.front(), kA);
  EXPECT_EQ(ids.back(), kB);
  EXPECT_EQ(ids_of(std::string(100'000, 'z')), Ids({kUnknown}));
}

TEST(WordPiece, RefusesBytesThatAreNotText) {
  for (const std::string bad : {"run \xff", "\xc0\x80", "\xed\xa0\x80", "run \xe4\xb8"}) {
    auto ids = small_vocabulary().tokenize(bad);
    ASSERT_FALSE(ids) << bad;
    EXPECT_EQ(ids.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(ids.error().what.find("byte"), std::string::npos);
  }
}

TEST(WordPiece, RefusesAVocabularyWithoutAnUnknownWord) {
  EXPECT_FALSE(WordPiece::create({}, {.unknown = 0}));
  EXPECT_FALSE(WordPiece::create({"a"}, {.unknown = 1}));
  EXPECT_FALSE(WordPiece::create({"a"}, {.unknown = -1}));
  const std::string endless(5000, 'a');
  EXPECT_FALSE(WordPiece::create({endless}, {.unknown = 0}));
}

}  // namespace
}  // namespace tinyarms::encoder
