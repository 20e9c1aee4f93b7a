#include "rules/rule_set.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "rules/scan.h"

namespace tinyarms::rules {
namespace {

RuleSet load(const std::string& yaml, const std::string& utils = "") {
  RuleSources sources;
  sources.rules.push_back({"rules.yml", yaml});
  if (!utils.empty()) sources.utils.push_back({"utils.yml", utils});
  return RuleSet::load(sources);
}

std::string rule(const std::string& body) {
  return "id: x\nlanguage: python\nrule:\n  " + body + "\n";
}

ScanResult run(const RuleSet& rules, std::string_view code) {
  Scratch scratch;
  ScanOptions options;
  options.path = "a.py";
  return scan(rules, code, options, scratch);
}

std::vector<std::string> texts(const ScanResult& result, std::string_view code) {
  std::vector<std::string> all;
  for (const Finding& finding : result.findings) {
    all.emplace_back(code.substr(finding.range.start, finding.range.end - finding.range.start));
  }
  return all;
}

using Texts = std::vector<std::string>;

TEST(RuleSet, AWrongRuleIsNamedWithItsPlaceAndStopsNoOther) {
  const RuleSet rules = load(
      "id: good\nlanguage: python\nrule: {kind: call}\n---\n"
      "id: bad\nlanguage: python\nrule: {kind: nonsense}\n---\n"
      "id: cobol\nlanguage: cobol\nrule: {kind: call}\n---\n"
      "id: later\nlanguage: python\nrule: {kind: string}\nunknown: 1\n");
  ASSERT_EQ(rules.rules().size(), 2u);
  EXPECT_EQ(rules.rules()[1].id, "later");
  ASSERT_EQ(rules.problems().size(), 2u);
  EXPECT_EQ(rules.problems()[0].rule, "bad");
  EXPECT_EQ(rules.problems()[0].error.where, "rules.yml:7:14");
  EXPECT_NE(rules.problems()[0].error.what.find("nonsense"), std::string::npos);
  EXPECT_EQ(rules.problems()[1].error.code, ErrorCode::Unsupported);
  ASSERT_EQ(rules.notices().size(), 1u);
  EXPECT_NE(rules.notices()[0].error.what.find("unknown"), std::string::npos);
}

TEST(RuleSet, SaysWhatIsWrong) {
  const struct {
    std::string body;
    std::string message;
  } cases[] = {
      {"{}", "at least one of"},
      {"{kind: call, colour: red}", "unknown key 'colour'"},
      {"{regex: '(?=a)', kind: call}", "look-ahead"},
      {"{regex: '(?<!a)b', kind: call}", "look-behind"},
      {"{regex: '(a)\\1', kind: call}", "back-references"},
      {"{regex: '[a&&b]', kind: call}", "operations on character classes"},
      {"{regex: '(', kind: call}", "regex"},
      {"{regex: a}", "could match any node"},
      {"{pattern: 'a; b'}", "several nodes"},
      {"{pattern: ''}", "no code"},
      {"{pattern: $$$A}", "stands for many"},
      {"{pattern: {context: a, selector: call}}", "nowhere"},
      {"{pattern: {context: a, strictness: loose}}", "unknown strictness"},
      {"{kind: call, nthChild: 2m}", "formula"},
      {"{kind: call, has: {kind: string, field: nope}}", "no field 'nope'"},
      {"{kind: call, follows: {kind: string, field: name}}", "has and inside only"},
      {"{kind: call, has: {kind: string, stopBy: never}}", "stopBy"},
      {"{kind: call, matches: nobody}", "no utility 'nobody'"},
      {"{kind: 'call >'}", "no kind"},
      {"{kind: 'call:has(string'}", "lacks a )"},
      {"{kind: call, range: {start: {line: 3}, end: {line: 1}}}", "before it ends"},
  };
  for (const auto& c : cases) {
    const RuleSet rules = load(rule(c.body));
    ASSERT_EQ(rules.problems().size(), 1u) << c.body;
    EXPECT_NE(rules.problems()[0].error.what.find(c.message), std::string::npos)
        << c.body << ": " << rules.problems()[0].error.what;
  }
}

TEST(RuleSet, NamesTheCycleOfUtilities) {
  const std::string yaml =
      "id: x\nlanguage: python\nutils:\n  a: {any: [{matches: b}, {kind: call}]}\n"
      "  b: {not: {matches: c}}\n  c: {all: [{matches: a}]}\nrule: {matches: a}\n";
  const RuleSet rules = load(yaml);
  ASSERT_EQ(rules.problems().size(), 1u);
  EXPECT_NE(rules.problems()[0].error.what.find("a -> b -> c -> a"), std::string::npos);

  const RuleSet global = load(rule("{kind: call}"),
                              "id: u\nlanguage: python\nrule: {kind: call, matches: v}\n---\n"
                              "id: v\nlanguage: python\nrule: {kind: call, matches: u}\n");
  ASSERT_EQ(global.problems().size(), 1u);
  EXPECT_NE(global.problems()[0].error.what.find("u -> v -> u"), std::string::npos);
}

TEST(RuleSet, AUtilityMayLeadToItselfThroughARelation) {
  const RuleSet rules = load(
      "id: x\nlanguage: python\nutils:\n  deep: {any: [{kind: string}, {kind: list, has: "
      "{matches: deep}}]}\nrule: {kind: list, matches: deep}\n");
  ASSERT_TRUE(rules.problems().empty());
  const std::string code = "[['a']]\n[[1]]\n";
  EXPECT_EQ(texts(run(rules, code), code), (Texts{"[['a']]", "['a']"}));
}

TEST(RuleSet, AliasesAreCopiesAndBombsAreRefused) {
  const RuleSet rules = load(
      "id: x\nlanguage: python\nutils:\n  u: &call {kind: call}\n"
      "rule: {any: [*call, {kind: string}]}\n");
  EXPECT_TRUE(rules.problems().empty());
  EXPECT_EQ(run(rules, "f('a')\n").findings.size(), 2u);

  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string name = "a" + std::to_string(i);
    bomb += name + ": &" + name + " [";
    for (int j = 0; j < 9; ++j) bomb += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  ASSERT_EQ(load(bomb).problems().size(), 1u);
  EXPECT_NE(load(bomb).problems()[0].error.what.find("too much"), std::string::npos);

  const std::string deep = "rule: " + std::string(10'000, '[') + std::string(10'000, ']');
  EXPECT_EQ(load(deep).problems().size(), 1u);
}

TEST(RuleSet, TriesPatternsOneByOne) {
  const auto found = [](RuleSet::PatternQuery query, std::string_view code) {
    const auto rules = RuleSet::of_pattern(query);
    EXPECT_TRUE(rules);
    return rules ? texts(run(*rules, code), code) : Texts{};
  };
  const std::string code = "f(a, a)\nf(a, b)\nf(a, b, c)\n";
  EXPECT_EQ(found({"f($X, $X)", "python", "", "", {}}, code), (Texts{"f(a, a)"}));
  EXPECT_EQ(found({"f($$$, c)", "python", "", "", {}}, code), (Texts{"f(a, b, c)"}));
  EXPECT_EQ(found({"g(1)", "py", "", "signature", {}}, "f(2)\n"), (Texts{"f(2)"}));
  EXPECT_TRUE(found({"f($X)", "python", "", "cst", {}}, "f(a,)\n").empty());
  EXPECT_EQ(found({"f($X)", "python", "", "smart", {}}, "f(a,)\n"), (Texts{"f(a,)"}));
  EXPECT_EQ(found({"class A: $X = $Y", "python", "assignment", "", {}}, "x = 1\n"),
            (Texts{"x = 1"}));
  EXPECT_FALSE(RuleSet::of_pattern({"f(", "cobol", "", "", {}}));
  EXPECT_FALSE(RuleSet::of_pattern({"f()", "python", "", "fuzzy", {}}));
}

TEST(Scan, FillsMessagesFixesAndLabels) {
  const RuleSet rules = load(
      "id: x\nlanguage: python\nmessage: $A is compared with $B\nrule: {pattern: $A == $B}\n"
      "transform: {UP: {convert: {source: $A, toCase: upperCase}}}\n"
      "fix: $UP is $B\nlabels: {B: {style: secondary, message: here}}\n");
  ASSERT_TRUE(rules.problems().empty());
  const ScanResult result = run(rules, "é = 1\nif aé == None: pass\n");
  ASSERT_EQ(result.findings.size(), 1u);
  const Finding& finding = result.findings[0];
  EXPECT_EQ(finding.message, "aé is compared with None");
  EXPECT_EQ(finding.start.line, 1u);
  EXPECT_EQ(finding.start.column, 3u);
  EXPECT_EQ(finding.end.column, 13u);
  ASSERT_EQ(finding.fixes.size(), 1u);
  EXPECT_EQ(finding.fixes[0].replacement, "AÉ is None");
  ASSERT_EQ(finding.labels.size(), 1u);
  EXPECT_EQ(finding.labels[0].message, "here");
  EXPECT_FALSE(finding.labels[0].primary);
}

TEST(Scan, TellsWhyItDidNotLook) {
  const RuleSet rules = load(rule("{pattern: needle($A)}"));
  using Outcome = ScanResult::Outcome;
  EXPECT_EQ(run(rules, "hay(1)\n").outcome, Outcome::Unneeded);
  EXPECT_EQ(run(rules, "needles(1)\n").outcome, Outcome::Unneeded);
  EXPECT_EQ(run(rules, "needle(1)\n").outcome, Outcome::Scanned);
  EXPECT_EQ(run(rules, "needle(1) # \xff\n").outcome, Outcome::InvalidText);
  Scratch scratch;
  ScanOptions options;
  EXPECT_EQ(scan(rules, "needle(1)", options, scratch).outcome, Outcome::NoLanguage);
  options.path = "a.js";
  EXPECT_EQ(scan(rules, "needle(1)", options, scratch).outcome, Outcome::Unneeded);
  options.path = "a.py";
  options.bytes_max = 4;
  EXPECT_EQ(scan(rules, "needle(1)", options, scratch).outcome, Outcome::TooLarge);
}

TEST(Scan, KeepsOffsetsBehindAByteOrderMarkAndWindowsLineEnds) {
  const RuleSet rules = load(rule("{pattern: needle($A)}"));
  const std::string code = "\xEF\xBB\xBFneedle(1)\r\nx = needle(2)\r\n";
  EXPECT_EQ(texts(run(rules, code), code), (Texts{"needle(1)", "needle(2)"}));
}

TEST(Scan, SurvivesWhatIsDeepOrEndless) {
  const RuleSet rules = load(
      "id: x\nlanguage: python\nutils:\n  deep: {any: [{kind: string}, {has: {matches: deep}}]}\n"
      "rule: {kind: list, matches: deep, not: {has: {kind: list, stopBy: end, has: {kind: list, "
      "stopBy: end, has: {kind: call, stopBy: end}}}}}\n---\n"
      "id: same\nlanguage: python\nrule: {pattern: '[$A, $A]'}\n");
  ASSERT_TRUE(rules.problems().empty());
  std::string code(100'000, '[');
  code += std::string(100'000, ']');
  const auto outcome = run(rules, code).outcome;
  EXPECT_TRUE(outcome == ScanResult::Outcome::GaveUp || outcome == ScanResult::Outcome::Scanned);
  std::string open(100'000, '(');
  EXPECT_NE(run(rules, open).outcome, ScanResult::Outcome::TooLarge);
}

TEST(Scan, GivesUpWhereFindingsWouldHoldMuchMoreThanTheText) {
  constexpr size_t kDeep = 8'000;  // each call is captured with all within it: 96 MB
  const RuleSet rules = load(rule("{pattern: f($A)}"));
  std::string code;
  for (size_t i = 0; i < kDeep; ++i) code += "f(";
  code += "1" + std::string(kDeep, ')');
  const ScanResult result = run(rules, code);
  EXPECT_EQ(result.outcome, ScanResult::Outcome::GaveUp);
  EXPECT_GT(result.findings.size(), 0u);
  EXPECT_LT(result.findings.size(), kDeep);
}

TEST(Scan, CountsWhatIsBeyondItsLimit) {
  const RuleSet rules = load(rule("{pattern: f($A)}"));
  const std::string code = "f(1)\nf(2)\nf(3)\n";
  Scratch scratch;
  ScanOptions options;
  options.path = "a.py";
  options.findings_max = 2;
  const ScanResult result = scan(rules, code, options, scratch);
  EXPECT_EQ(result.outcome, ScanResult::Outcome::Scanned);
  EXPECT_EQ(texts(result, code), (Texts{"f(1)", "f(2)"}));
  EXPECT_EQ(result.more, 1u);
}

TEST(Scan, OnlyComplaintsSilenceRules) {
  const RuleSet rules = load(rule("{pattern: f($A)}"));
  const std::string code =
      "f(1)  # ast-grep-ignore: x\n# ast-grep-ignore: other\nf(2)\n# ast-grep-ignore\nf(3)\nf(4)\n";
  const ScanResult result = run(rules, code);
  EXPECT_EQ(texts(result, code), (Texts{"f(2)", "f(4)"}));
  ASSERT_EQ(result.unused_suppressions.size(), 1u);
}

}  // namespace
}  // namespace tinyarms::rules
