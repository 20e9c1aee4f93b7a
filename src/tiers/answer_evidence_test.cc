#include "tiers/answer_evidence.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "rules/scan.h"
#include "tiers/embedded_rules.h"
#include "tiers/rule_findings.h"
#include "tiers/undefined_names.h"

namespace tinyarms::tiers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

namespace signal = cascade::signal;
using Names = std::optional<std::vector<std::string>>;

cascade::Evidence evidence(std::string_view answer, std::string_view asked = "write it") {
  cascade::Evidence evidence;
  add_code_evidence(answer, evidence, asked);
  return evidence;
}

Names undefined(std::string_view code, std::string_view known = "") {
  return undefined_python_names(code, known);
}

TEST(EmbeddedRules, EveryFileLoads) {
  size_t loaded = 0;
  for (const char* prefix :
       {"python-", "javascript-", "typescript-", "cpp-", "go-", "rust-", "python_names"}) {
    const rules::RuleSet rules = load_embedded_rules(prefix);
    for (const rules::RuleProblem& problem : rules.problems()) {
      ADD_FAILURE() << prefix << ": " << problem.error.message();
    }
    for (const rules::RuleInfo& rule : rules.rules()) {
      if (std::string_view(prefix) == "python_names") continue;
      const rules::YamlNode* category = rule.metadata.find("category");
      ASSERT_NE(category, nullptr) << rule.id;
      EXPECT_TRUE(category->scalar == "bug" || category->scalar == "security" ||
                  category->scalar == "modernise")
          << rule.id << ": " << category->scalar;
      EXPECT_FALSE(rule.message.empty() || rule.note.empty()) << rule.id;
      ++loaded;
    }
  }
  EXPECT_GE(loaded, 60u);
}

// Whether the rule finds something in the case.
bool matches(const rules::RuleSet& rules, const std::string& id, std::string_view code) {
  rules::ScanOptions options;
  options.language = rules.find(id)->language;
  rules::Scratch scratch;
  for (const rules::Finding& finding : rules::scan(rules, code, options, scratch).findings) {
    if (finding.rule->id == id) return true;
  }
  return false;
}

TEST(EmbeddedRules, PassTheirCases) {
  const char* source = std::getenv("TINYARMS_SOURCE");
  ASSERT_NE(source, nullptr) << "run by ctest, which sets TINYARMS_SOURCE to the source folder";
  size_t cases = 0;
  for (const std::string language : {"python", "javascript", "typescript", "cpp", "go", "rust"}) {
    const rules::RuleSet rules = load_embedded_rules(language + "-");
    for (const rules::RuleInfo& rule : rules.rules()) {
      const std::string path =
          fmt::format("{}/rules/tests/{}/{}-test.yml", source, language, rule.id);
      const auto bytes = read_file(path, 1 << 20);
      ASSERT_TRUE(bytes) << "no cases: " << path;
      const rules::YamlFile file = rules::read_yaml(path, *bytes);
      ASSERT_EQ(file.documents.size(), 1u) << path;
      for (const bool valid : {true, false}) {
        const rules::YamlNode* list = file.documents[0].find(valid ? "valid" : "invalid");
        ASSERT_TRUE(list != nullptr && !list->items.empty()) << path;
        for (const rules::YamlNode& code : list->items) {
          EXPECT_EQ(matches(rules, rule.id, code.scalar), !valid)
              << rule.id << ":\n" << code.scalar;
          ++cases;
        }
      }
    }
  }
  EXPECT_GE(cases, 200u);
}

TEST(RuleEvidence, CountsByCategory) {
  const cascade::Evidence found = evidence(
      "Here:\n```python\nimport subprocess\n\ndef run(path, seen=[]):\n"
      "    eval(input())\n    return subprocess.run(f\"ls {path}\", shell=True)\n```\n");
  EXPECT_THAT(found.number(signal::kRuleFindings), Optional(3.0));
  EXPECT_THAT(found.number(signal::kRuleBug), Optional(1.0));
  EXPECT_THAT(found.number(signal::kRuleSecurity), Optional(2.0));
  EXPECT_THAT(found.number(signal::kRuleModernise), Optional(0.0));
  EXPECT_THAT(found.number(signal::kBannedCalls), Optional(1.0)) << "only eval(input())";
  EXPECT_THAT(found.text(signal::kRuleIds),
              Optional(std::string("python-eval-input python-mutable-default "
                                   "python-shell-formatted")));
}

TEST(RuleEvidence, CleanCodeCountsZeroAndNoCodeNothing) {
  const cascade::Evidence clean = evidence("```go\npackage a\n\nfunc f() int { return 1 }\n```");
  EXPECT_THAT(clean.number(signal::kRuleFindings), Optional(0.0));
  EXPECT_FALSE(clean.text(signal::kRuleIds));
  EXPECT_FALSE(evidence("no code").number(signal::kRuleFindings));
  EXPECT_FALSE(evidence("```cobol\nMOVE A TO B\n```").number(signal::kRuleFindings));
}

TEST(RuleEvidence, KnowsEachLanguage) {
  const auto ids = [](std::string_view language, std::string_view code) {
    return evidence("```" + std::string(language) + "\n" + std::string(code) + "\n```")
        .text(signal::kRuleIds)
        .value_or("");
  };
  EXPECT_EQ(ids("js", "if (x === NaN) f();"), "javascript-equals-nan");
  EXPECT_EQ(ids("cpp", "void f() { gets(b); }"), "cpp-gets");
  EXPECT_EQ(ids("rust", "fn f(x: f64) -> bool { x == f64::NAN }"), "rust-equals-nan");
  EXPECT_EQ(ids("go", "package a\n\nvar c = tls.Config{InsecureSkipVerify: true}"),
            "go-tls-not-verified");
}

TEST(RequestEvidence, TellsOfTheCodeInAQuestion) {
  cascade::Evidence found;
  add_request_evidence("What is wrong?\n```python\nassert (x, 'no')\n```", found);
  EXPECT_THAT(found.number(signal::kRequestBug), Optional(1.0));
  EXPECT_THAT(found.text(signal::kRequestRuleIds), Optional(std::string("python-assert-tuple")));
  cascade::Evidence none;
  add_request_evidence("what is a monad", none);
  EXPECT_TRUE(none.empty());
}

TEST(UndefinedNames, FindsMissingImportsAndMisspeltNames) {
  EXPECT_THAT(undefined("def f(x):\n    return math.sqrt(x)\n"), Optional(ElementsAre("math")));
  EXPECT_THAT(undefined("def f(items):\n    return itmes[0]\n"), Optional(ElementsAre("itmes")));
  EXPECT_THAT(undefined("def f(x: List[int]) -> int:\n    return len(x)\n"),
              Optional(ElementsAre("List")));
}

TEST(UndefinedNames, KnowsEveryWayToBind) {
  EXPECT_THAT(undefined(R"(
import os.path as p, sys
from math import sqrt as root, pi
import collections.abc

LIMIT: int = 3

class Node[T](object):
    size = 0
    def grow(self, *args, by=1, **kwargs):
        self.size += by
        return [a for a in args if a] or {k: v for k, v in kwargs.items()}

def outer(a, /, b: int = 2, *, c=None):
    total, (first, *rest) = 0, (1, 2, 3)
    with open(p.join(a, sys.argv[0])) as file, file as again:
        for i, line in enumerate(again):
            total += i
    try:
        pass
    except (OSError, ValueError) as error:
        print(error, __name__)
    if (n := root(pi)) > LIMIT:
        del n
    g = lambda x, y=1, *z: x + y + len(z)
    match a:
        case [head, *tail] if head:
            return head, tail
        case {"k": value, **others}:
            return value, others
        case Node(size=extent) as whole:
            return extent, whole
    def inner():
        nonlocal total
        global LATER
        LATER = total
        return collections.abc.Iterable, first, rest, b, c, g, line, outer
    return inner
)"),
              Optional(IsEmpty()));
}

TEST(UndefinedNames, IsCautious) {
  EXPECT_THAT(undefined("print(undefined_here)\n"), Optional(IsEmpty())) << "an excerpt";
  EXPECT_THAT(undefined("def f():\n    return helper()\n", "use my helper()"),
              Optional(IsEmpty()));
  EXPECT_THAT(undefined("def f(o):\n    return o.anything(key=o.other)\n"), Optional(IsEmpty()));
  EXPECT_EQ(undefined("from math import *\ndef f():\n    return sqrt(2)\n"), std::nullopt);
  EXPECT_EQ(undefined("def f():\n    exec('a = 1')\n    return a\n"), std::nullopt);
  EXPECT_EQ(undefined("def f(:\n"), std::nullopt);
  EXPECT_EQ(undefined(std::string(1 << 20, 'x')), std::nullopt);
}

TEST(UndefinedNames, AreMeasuredOverAllBlocksAndOnlyWithAQuestion) {
  const std::string answer =
      "```python\ndef helper():\n    return 1\n```\nThen:\n"
      "```python\ndef f():\n    return helper() + missing\n```\n";
  EXPECT_THAT(evidence(answer).number(signal::kUndefinedNames), Optional(1.0));
  EXPECT_THAT(evidence(answer).text(signal::kUndefinedNameList),
              Optional(std::string("missing")));
  EXPECT_FALSE(evidence(answer, "").number(signal::kUndefinedNames));
}

}  // namespace
}  // namespace tinyarms::tiers
