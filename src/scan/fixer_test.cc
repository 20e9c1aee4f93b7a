#include "scan/fixer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "rules/scan.h"
#include "scan/test_tree.h"

namespace tinyarms::scan {
namespace {

class FixerTest : public ::testing::Test {
 protected:
  // The file `code` with the findings of one Python rule in it.
  const FileFindings& find(const std::string& rule, const std::string& code) {
    rules_ = rules::RuleSet::load(
        {.rules = {{"r.yml", "id: r\nlanguage: python\n" + rule}}, .utils = {}});
    EXPECT_TRUE(rules_.problems().empty());
    file_.path = "a.py";
    file_.language = rules::find_language("python");
    file_.source.text = code;
    const rules::ScanOptions options{.path = "a.py", .language = nullptr, .severities = {}};
    file_.findings = rules::scan(rules_, file_.source.text, options, scratch_).findings;
    return file_;
  }

  rules::RuleSet rules_;
  rules::Scratch scratch_;
  FileFindings file_;
};

TEST_F(FixerTest, AppliesInTheOrderOfTheText) {
  const FileFindings& file = find("rule: {pattern: f($A)}\nfix: g($A, 0)\n", "f(1)\nx\nf(2)\n");
  const FixedText fixed = apply_fixes(file, first_fixes(file.findings));
  EXPECT_EQ(fixed.text, "g(1, 0)\nx\ng(2, 0)\n");
  EXPECT_EQ(fixed.applied, 2u);
}

TEST_F(FixerTest, TheFirstOfOverlappingFixesWins) {
  const FileFindings& file = find("rule: {pattern: f($A)}\nfix: g($A)\n", "f(f(1))\n");
  const FixedText fixed = apply_fixes(file, first_fixes(file.findings));
  EXPECT_EQ(fixed.text, "g(f(1))\n");
  ASSERT_EQ(fixed.overlapping.size(), 1u);
  EXPECT_NE(fixed.overlapping[0].find("r at 1:3"), std::string::npos);
}

TEST_F(FixerTest, KeepsCarriageReturnsAndMark) {
  const FileFindings& file =
      find("rule: {pattern: f()}\nfix: |-\n  g()\n  h()\n", "\xEF\xBB\xBF" "f()\r\nx\r\n");
  EXPECT_EQ(apply_fixes(file, first_fixes(file.findings)).text,
            "\xEF\xBB\xBF" "g()\r\nh()\r\nx\r\n");
}

TEST_F(FixerTest, LeavesOutWhatBreaksTheCode) {
  const FileFindings& file = find("rule: {pattern: f($A)}\nfix: g $A\n", "f(x)\nf(.1)\n");
  const FixedText fixed = apply_fixes(file, first_fixes(file.findings));
  EXPECT_EQ(fixed.text, file.source.text);
  EXPECT_EQ(fixed.applied, 0u);
  EXPECT_EQ(fixed.rolled_back.size(), 2u);
}

TEST_F(FixerTest, NothingToFixIsNoChange) {
  const FileFindings& file = find("rule: {pattern: f($A)}\n", "f(1)\n");
  EXPECT_TRUE(first_fixes(file.findings).empty());
  EXPECT_EQ(apply_fixes(file, {}).text, "f(1)\n");
}

TEST(BreaksSyntax, OnlyWhereTheCodeWasSound) {
  const rules::Language* python = rules::find_language("python");
  ASSERT_NE(python, nullptr);
  EXPECT_TRUE(breaks_syntax("f(1)\n", "f(1\n", *python));
  EXPECT_FALSE(breaks_syntax("f(1\n", "f(1\n", *python));
  EXPECT_FALSE(breaks_syntax("f(1)\n", "f(2)\n", *python));
  const std::string large(1 << 19, '\n');
  EXPECT_TRUE(breaks_syntax(large + "f(1)\n", large + "f 1)\n", *python)) << "beyond parses()";
}

TEST(ReplaceFile, RefusesAFileThatIsNotTheOneThatWasScanned) {
  const TestTree tree;
  const std::string path = tree.write("a.py", "old\n");
  ::chmod(path.c_str(), 0750);
  const auto stamp = stamp_of(path);
  ASSERT_TRUE(stamp);
  ASSERT_TRUE(replace_file(path, "new\n", *stamp));
  EXPECT_EQ(tree.read("a.py"), "new\n");
  EXPECT_EQ(stamp_of(path)->mode & 07777, 0750u);
  const auto again = replace_file(path, "newer\n", *stamp);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(tree.read("a.py"), "new\n");
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(tree.root())) {
    files += entry.path().filename() == "a.py" ? 1 : 100;
  }
  EXPECT_EQ(files, 1u) << "a temporary file was left";
}

}  // namespace
}  // namespace tinyarms::scan
