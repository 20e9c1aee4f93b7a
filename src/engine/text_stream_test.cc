#include "engine/text_stream.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace tinyarms::engine {
namespace {

struct Shown {
  std::string text;
  std::vector<std::string> pieces;
  bool stopped = false;
};

Shown feed(const std::vector<std::string>& pieces, std::vector<std::string> stops = {}) {
  Shown shown;
  TextStream stream(std::move(stops), [&](std::string_view piece) {
    EXPECT_FALSE(find_invalid_utf8(piece)) << "an invalid piece was shown";
    shown.pieces.emplace_back(piece);
  });
  for (const std::string& piece : pieces) {
    shown.stopped = stream.push(piece);
    if (shown.stopped) break;
  }
  if (!shown.stopped) stream.finish();
  shown.text = stream.text();
  std::string together;
  for (const std::string& piece : shown.pieces) together += piece;
  EXPECT_EQ(together, shown.text);
  return shown;
}

TEST(TextStream, PassesTextOnAtOnce) {
  EXPECT_EQ(feed({"Hel", "lo"}).pieces, (std::vector<std::string>{"Hel", "lo"}));
}

TEST(TextStream, HoldsAnUnfinishedCharacterBack) {
  const Shown shown = feed({"a\xE2", "\x82", "\xAC" "b"});
  EXPECT_EQ(shown.pieces, (std::vector<std::string>{"a", "\xE2\x82\xAC" "b"}));
}

TEST(TextStream, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(feed({"a\xFF", "b"}).text, "a\xEF\xBF\xBD" "b");
  EXPECT_EQ(feed({"a\xE2", "b"}).text, "a\xEF\xBF\xBD" "b");
  EXPECT_EQ(feed({"a\xF0\x9F"}).text, "a\xEF\xBF\xBD");
  EXPECT_EQ(feed({"\xED\xA0\x80"}).text, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(TextStream, EndsBeforeAStopSequenceHoweverItIsCut) {
  const std::string whole = "one\nEND two";
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    const Shown shown = feed({whole.substr(0, cut), whole.substr(cut)}, {"\nEND"});
    EXPECT_TRUE(shown.stopped) << cut;
    EXPECT_EQ(shown.text, "one") << cut;
  }
  std::vector<std::string> single;
  for (const char c : whole) single.emplace_back(1, c);
  EXPECT_EQ(feed(single, {"\nEND"}).text, "one");
}

TEST(TextStream, WhatOnlyBeganLikeAStopIsShown) {
  EXPECT_EQ(feed({"a\nEN", "X"}, {"\nEND"}).text, "a\nENX");
  EXPECT_EQ(feed({"a\nEN"}, {"\nEND"}).text, "a\nEN");
  // The held end begins the stop anew: "aab" in "aaab".
  const Shown shown = feed({"a", "a", "a", "b"}, {"aab"});
  EXPECT_TRUE(shown.stopped);
  EXPECT_EQ(shown.text, "a");
}

TEST(TextStream, TheFirstToBeginWins) {
  EXPECT_EQ(feed({"x one two"}, {"two", "one"}).text, "x ");
  EXPECT_EQ(feed({"abcd"}, {"bcd", "b"}).text, "a");
}

TEST(TextStream, IgnoresStopsThatCannotOccur) {
  EXPECT_EQ(feed({"abc"}, {"", "\xFF"}).text, "abc");
}

TEST(TextStream, StopsInsideMultibyteText) {
  EXPECT_EQ(feed({"gr\xC3", "\xBC\xC3\x9F", "e"}, {"\xC3\x9F"}).text, "gr\xC3\xBC");
}

}  // namespace
}  // namespace tinyarms::engine
