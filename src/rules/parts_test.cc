// The small parts of the engine, each by itself.
#include <gtest/gtest.h>

#include <string>

#include "rules/glob.h"
#include "rules/literal_filter.h"
#include "rules/nth_position.h"
#include "rules/parse_arena.h"
#include "rules/regex_literals.h"
#include "rules/text_regex.h"
#include "rules/transform.h"

namespace tinyarms::rules {
namespace {

TEST(NthPosition, ReadsWhatCssReads) {
  const struct {
    const char* text;
    int step;
    int offset;
  } cases[] = {{"3", 0, 3},      {"n", 1, 0},     {"2n+1", 2, 1}, {" -n + 3 ", -1, 3},
               {"+4n - 2", 4, -2}, {"-2N", -2, 0}, {"0n+5", 0, 5}};
  for (const auto& c : cases) {
    const auto read = read_nth_position(c.text);
    ASSERT_TRUE(read) << c.text;
    EXPECT_EQ(read->step, c.step) << c.text;
    EXPECT_EQ(read->offset, c.offset) << c.text;
  }
  for (const char* text : {"", "odd", "n+", "2n2", "n+n", "--n", "99999999999", "1 +"}) {
    EXPECT_FALSE(read_nth_position(text)) << text;
  }
  EXPECT_TRUE((NthPosition{-1, 2}).holds(1));
  EXPECT_FALSE((NthPosition{-1, 2}).holds(2));
}

TEST(Glob, FollowsGlobset) {
  EXPECT_TRUE(matches_glob("*.py", "a.py"));
  EXPECT_TRUE(matches_glob("*.py", "a/b.py"));
  EXPECT_TRUE(matches_glob("**/*.py", "a.py"));
  EXPECT_TRUE(matches_glob("**/test/**", "a/test/b/c.py"));
  EXPECT_TRUE(matches_glob("src/**/a.{js,ts}", "src/x/y/a.ts"));
  EXPECT_TRUE(matches_glob("[a-c]?.py", "bx.py"));
  EXPECT_TRUE(matches_glob("A.PY", "a.py", true));
  EXPECT_FALSE(matches_glob("A.PY", "a.py"));
  EXPECT_FALSE(matches_glob("src/*.py", "lib/a.py"));
  EXPECT_FALSE(matches_glob("[!a].py", "a.py"));
  EXPECT_FALSE(matches_glob("[a", "a"));
  EXPECT_FALSE(matches_glob("{a", "a"));
  const std::string costly(60, '*');
  EXPECT_FALSE(matches_glob(costly + "b", std::string(200, 'a')));
}

TEST(RegexLiterals, AskForWhatEveryMatchHolds) {
  EXPECT_EQ(read_regex_literals("^requests$").texts, std::vector<std::string>{"requests"});
  EXPECT_TRUE(read_regex_literals("^(?:get|put)_x$").whole);
  EXPECT_EQ(read_regex_literals("^(?:get|put)_x$").texts.size(), 2u);
  EXPECT_FALSE(read_regex_literals("^a|b$").whole);
  EXPECT_FALSE(read_regex_literals("get").whole);
  EXPECT_EQ(read_regex_literals("foo.*bar").need.parts.size(), 2u);
  EXPECT_EQ(read_regex_literals("(?i)foo").need.kind, LiteralNeed::Kind::Always);
  EXPECT_EQ(read_regex_literals("foo|").need.kind, LiteralNeed::Kind::Always);
  EXPECT_EQ(read_regex_literals("(foo)*").need.kind, LiteralNeed::Kind::Always);
  EXPECT_EQ(read_regex_literals("(foo){2}").need.literal, "foo");
  EXPECT_EQ(read_regex_literals("aé?").need.kind, LiteralNeed::Kind::Always);
}

TEST(LiteralFilter, FindsWordsAndEvaluatesFormulas) {
  LiteralFilter filter;
  LiteralNeed both = LiteralNeed::of("he");
  both.add(LiteralNeed::of("she"));
  const size_t all = filter.add(both);
  const size_t any = filter.add(
      LiteralNeed::any({LiteralNeed::of("hers"), LiteralNeed::of("his", true)}));
  filter.compile();
  LiteralFilter::Found found;
  filter.search("ushe this", found);
  EXPECT_TRUE(filter.holds(all, found));
  EXPECT_FALSE(filter.holds(any, found));
  filter.search("his", found);
  EXPECT_TRUE(filter.holds(any, found));
  EXPECT_FALSE(filter.holds(all, found));
}

TEST(TextRegex, SearchesAsRustDoes) {
  const auto matches = [](const char* regex, const char* text) {
    const auto compiled = TextRegex::compile(regex);
    EXPECT_TRUE(compiled) << regex;
    return compiled && compiled->matches(text);
  };
  EXPECT_TRUE(matches("b+", "abc"));
  EXPECT_TRUE(matches("^\\w+$", "naïve"));
  EXPECT_FALSE(matches("^[\\w]+$", "na ïve"));
  EXPECT_TRUE(matches("(?<name>a)", "a"));
  EXPECT_TRUE(matches("\\u00e9", "é"));
  EXPECT_TRUE(matches("^(a|b)$", "b"));
  EXPECT_FALSE(matches("^(a|b)$", "ab"));
  EXPECT_FALSE(TextRegex::compile("[a[b]]"));
  const auto swap = TextRegex::compile("(?P<x>\\w)-(\\w)");
  ASSERT_TRUE(swap);
  EXPECT_EQ(swap->replace_all("a-b c-d", "${2}_$x$$"), "b_a$ d_c$");
  const auto empty = TextRegex::compile("x*");
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->replace_all("axb", "-"), "-a-b-");
}

TEST(Transform, ConvertsAndCuts) {
  EXPECT_EQ(convert_case("XMLHttpRequest_two", StringCase::Snake, {}), "xml_http_request_two");
  EXPECT_EQ(convert_case("user_accountName", StringCase::Pascal, {}), "UserAccountName");
  EXPECT_EQ(convert_case("user-name", StringCase::Camel, {false, "-"}), "userName");
  EXPECT_EQ(convert_case("éa", StringCase::Capitalize, {}), "Éa");
  EXPECT_EQ(substring("aéb", 1, std::nullopt), "éb");
  EXPECT_EQ(substring("abc", -2, -1), "b");
  EXPECT_EQ(substring("abc", 2, 1), "");
  EXPECT_EQ(substring("abc", -9, 9), "abc");
}

TEST(ParseArena, ReusesWhatWasReleased) {
  ParseArena arena;
  void* first = arena.allocate(40);
  arena.release(first, 40);
  EXPECT_EQ(arena.allocate(33), first);
  void* large = arena.allocate(10'000);
  arena.release(large, 10'000);
  EXPECT_EQ(arena.allocate(9'000), large);
  void* huge = arena.allocate(20 << 20);
  EXPECT_NE(huge, nullptr);
  arena.reset();
  EXPECT_NE(arena.allocate(16), nullptr);
}

}  // namespace
}  // namespace tinyarms::rules
