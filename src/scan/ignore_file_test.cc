#include "scan/ignore_file.h"

#include <gtest/gtest.h>

namespace tinyarms::scan {
namespace {

bool ignored(std::string_view text, std::string_view path, bool is_directory = false) {
  return IgnoreFile::parse(".gitignore", text).match(path, is_directory) == Verdict::Ignored;
}

TEST(IgnoreFile, ANameMatchesAtAnyDepthAPathOnlyWhereItSays) {
  EXPECT_TRUE(ignored("foo.py\n", "foo.py"));
  EXPECT_TRUE(ignored("foo.py\n", "a/b/foo.py"));
  EXPECT_TRUE(ignored("/foo.py\n", "foo.py"));
  EXPECT_FALSE(ignored("/foo.py\n", "a/foo.py"));
  EXPECT_TRUE(ignored("a/foo.py\n", "a/foo.py"));
  EXPECT_FALSE(ignored("a/foo.py\n", "b/a/foo.py"));
  EXPECT_TRUE(ignored("*.log", "x/y.log"));
  EXPECT_FALSE(ignored("*.log", "x/y.log2"));
  EXPECT_TRUE(ignored("a/**/d.py", "a/b/c/d.py"));
}

TEST(IgnoreFile, ATrailingSlashMeansDirectories) {
  EXPECT_TRUE(ignored("build/", "build", true));
  EXPECT_FALSE(ignored("build/", "build", false));
  EXPECT_TRUE(ignored("build/", "a/build", true)) << "that slash does not anchor";
}

TEST(IgnoreFile, TheLastMatchDecides) {
  const std::string text = "src/*\n!src/keep.py\n";
  EXPECT_TRUE(ignored(text, "src/drop.py"));
  EXPECT_EQ(IgnoreFile::parse("", text).match("src/keep.py", false), Verdict::Included);
  EXPECT_EQ(IgnoreFile::parse("", text).match("other.py", false), Verdict::None);
  EXPECT_TRUE(ignored("!a\na\n", "a"));
}

TEST(IgnoreFile, CommentsSpacesAndLineEnds) {
  EXPECT_FALSE(ignored("# a\n\n   \n", "# a"));
  EXPECT_TRUE(ignored("\\#a", "#a"));
  EXPECT_TRUE(ignored("\\!a", "!a"));
  EXPECT_TRUE(ignored("a   \r\n", "a"));
  EXPECT_TRUE(ignored("a\\ \n", "a "));
  EXPECT_TRUE(ignored("\xEF\xBB\xBF" "a\n", "a"));
  EXPECT_TRUE(ignored("{a,b}\n", "{a,b}"));
}

TEST(IgnoreFile, AMalformedPatternIsNotedAndStopsNothing) {
  const IgnoreFile file = IgnoreFile::parse("sub/.gitignore", "[a\nb\n");
  EXPECT_EQ(file.match("b", false), Verdict::Ignored);
  ASSERT_EQ(file.notices().size(), 1u);
  EXPECT_NE(file.notices()[0].find("sub/.gitignore"), std::string::npos);
}

}  // namespace
}  // namespace tinyarms::scan
