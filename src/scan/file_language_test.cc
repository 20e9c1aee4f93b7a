#include "scan/file_language.h"

#include <gtest/gtest.h>

namespace tinyarms::scan {
namespace {

std::string_view name_of(const rules::Language* language) {
  return language == nullptr ? "" : language->name;
}

std::string_view plain(std::string_view path) { return name_of(FileLanguages().of(path)); }

TEST(FileLanguage, ByTheLastEnding) {
  EXPECT_EQ(plain("a/b.c/x.py"), "python");
  EXPECT_EQ(plain("x.h"), "c");
  EXPECT_EQ(plain("x.c++"), "cpp");
  EXPECT_EQ(plain("x.test.mjs"), "javascript");
  EXPECT_EQ(plain(".hidden.py"), "python");
}

TEST(FileLanguage, NothingForOtherNames) {
  for (const char* name : {"Makefile", "x.", "x.py/README", "", "x.md"}) {
    EXPECT_EQ(plain(name), "") << name;
  }
}

// What ast-grep 0.51.1 takes these endings for, found by scanning files of every ending with it.
TEST(FileLanguage, EndingsAreThoseOfTheReference) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> table = {
      {"bash", {"bash", "bats", "cgi", "command", "env", "fcgi", "ksh", "sh", "tmux", "tool",
                "zsh"}},
      {"c", {"c", "h"}},
      {"cpp", {"c++", "cc", "cpp", "cu", "cxx", "hh", "hpp", "ino"}},
      {"csharp", {"cs"}},
      {"css", {"css", "scss"}},
      {"go", {"go"}},
      {"html", {"htm", "html", "xhtml"}},
      {"java", {"java"}},
      {"javascript", {"cjs", "js", "jsx", "mjs"}},
      {"json", {"json"}},
      {"kotlin", {"kt", "ktm", "kts"}},
      {"php", {"php"}},
      {"python", {"bzl", "py", "py3", "pyi"}},
      {"ruby", {"gemspec", "rb", "rbw"}},
      {"rust", {"rs"}},
      {"scala", {"sbt", "sc", "scala"}},
      {"swift", {"swift"}},
      {"typescript", {"cts", "mts", "ts"}},
      {"tsx", {"tsx"}},
      {"yaml", {"yaml", "yml"}}};
  for (const auto& [language, endings] : table) {
    if (rules::find_language(language) == nullptr) continue;  // left out of this build
    for (const std::string& ending : endings) {
      EXPECT_EQ(plain("f." + ending), language) << ending;
    }
  }
}

TEST(FileLanguage, GlobsOfTheProjectComeFirst) {
  FileLanguages languages;
  ASSERT_TRUE(languages.add("*.h", "cpp"));
  ASSERT_TRUE(languages.add("BUILD", "Python"));
  EXPECT_EQ(name_of(languages.of("src/x.h")), "cpp");
  EXPECT_EQ(name_of(languages.of("sub/BUILD")), "python");
  EXPECT_EQ(name_of(languages.of("x.c")), "c");
  EXPECT_FALSE(languages.add("[", "python"));
  EXPECT_FALSE(languages.add("*.x", "klingon"));
}

}  // namespace
}  // namespace tinyarms::scan
