#include "scan/glob.h"

#include <gtest/gtest.h>

namespace tinyarms::scan {
namespace {

bool git(std::string_view pattern, std::string_view path) {
  auto glob = Glob::compile(pattern, {.literal_separator = true, .alternatives = false});
  EXPECT_TRUE(glob) << pattern;
  return glob && glob->matches(path);
}

bool rule(std::string_view pattern, std::string_view path, bool case_insensitive = false) {
  auto glob = Glob::compile(pattern, {.case_insensitive = case_insensitive});
  EXPECT_TRUE(glob) << pattern;
  return glob && glob->matches(path);
}

TEST(Glob, StarStopsAtASlashOnlyInGitsDialect) {
  EXPECT_TRUE(git("*.py", "a.py"));
  EXPECT_FALSE(git("*.py", "a/b.py"));
  EXPECT_TRUE(rule("*.py", "a/b.py"));
  EXPECT_TRUE(rule("SUB/*.py", "sub/deep/two.py", true));
  EXPECT_FALSE(rule("SUB/*.py", "sub/deep/two.py"));
  EXPECT_FALSE(git("a?b", "a/b"));
  EXPECT_FALSE(git("a[!x]b", "a/b"));
}

TEST(Glob, TwoStarsCrossDirectories) {
  EXPECT_TRUE(git("**/d.py", "d.py"));
  EXPECT_TRUE(git("**/d.py", "a/b/d.py"));
  EXPECT_FALSE(git("**/d.py", "a/bd.py"));
  EXPECT_TRUE(git("a/**/d.py", "a/d.py"));
  EXPECT_TRUE(git("a/**/d.py", "a/x/y/d.py"));
  EXPECT_FALSE(git("a/**/d.py", "a/xd.py"));
  EXPECT_TRUE(git("a/**", "a/x/y"));
  EXPECT_FALSE(git("a/**", "ab"));
  EXPECT_TRUE(git("a/**", "a/"));
  EXPECT_TRUE(git("a**b", "axxb"));
  EXPECT_FALSE(git("a**b", "ax/xb")) << "two stars inside a name are one";
}

TEST(Glob, ClassesAndEscapes) {
  EXPECT_TRUE(git("[a-c]x", "bx"));
  EXPECT_FALSE(git("[!a-c]x", "bx"));
  EXPECT_TRUE(git("[]]x", "]x"));
  EXPECT_TRUE(git("[a\\]]x", "]x"));
  EXPECT_TRUE(git("\\*.py", "*.py"));
  EXPECT_FALSE(git("\\*.py", "a.py"));
  EXPECT_TRUE(rule("{a,b{c,d}}.py", "bd.py"));
  EXPECT_FALSE(rule("{a,b{c,d}}.py", "b.py"));
  EXPECT_TRUE(git("{a,b}", "{a,b}"));
}

TEST(Glob, RefusesWhatIsMalformedOrGrowsWithoutBound) {
  for (const char* bad : {"[a", "{a,b", "a\\"}) {
    auto glob = Glob::compile(bad, {});
    ASSERT_FALSE(glob) << bad;
    EXPECT_NE(glob.error().what.find(bad), std::string::npos);
  }
  std::string bomb;
  for (int i = 0; i < 30; ++i) bomb += "{a,b}";
  EXPECT_FALSE(Glob::compile(bomb, {}));
  EXPECT_FALSE(Glob::compile(std::string(kGlobBytesMax + 1, 'a'), {}));
}

TEST(Glob, ManyStarsAreNotExponential) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  EXPECT_FALSE(git(pattern + "b", std::string(4000, 'a')));
}

}  // namespace
}  // namespace tinyarms::scan
