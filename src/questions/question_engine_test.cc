#include "questions/question_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "questions/bundled_packs.h"
#include "rules/yaml_document.h"

namespace tinyarms::questions {
namespace {

using ::testing::HasSubstr;

const QuestionEngine& bundled() {
  static const QuestionEngine kEngine = QuestionEngine::bundled();
  return kEngine;
}

QuestionEngine load(std::string_view yaml) {
  const EmbeddedFile file{"test.yaml", yaml};
  return QuestionEngine::load({&file, 1});
}

std::string answer(const QuestionEngine& engine, std::string_view question) {
  const auto found = engine.answer(question);
  return found ? found->answer : "(abstains)";
}

TEST(BundledPack, LoadsWhole) {
  for (const Error& problem : bundled().problems()) ADD_FAILURE() << problem.message();
  EXPECT_GE(bundled().rule_count(), 200u);
}

TEST(BundledPack, AnswersItsValidExamplesAndAbstainsFromItsInvalidOnes) {
  for (const EmbeddedFile& pack : bundled_packs()) {
    for (const rules::YamlNode& document : rules::read_yaml(pack.name, pack.bytes).documents) {
      if (document.find("units") != nullptr) continue;
      const std::string& id = document.find("id")->scalar;
      const rules::YamlNode* valid = document.find("valid");
      const rules::YamlNode* invalid = document.find("invalid");
      ASSERT_TRUE(valid != nullptr && !valid->entries.empty()) << id << " has no valid example";
      ASSERT_TRUE(invalid != nullptr && !invalid->items.empty()) << id << " has no invalid one";
      for (const auto& [question, expected] : valid->entries) {
        const auto found = bundled().answer(question.scalar);
        EXPECT_TRUE(found) << id << " abstains from: " << question.scalar;
        if (!found) continue;
        EXPECT_EQ(found->rule_id, id) << question.scalar;
        EXPECT_THAT(found->answer, HasSubstr(expected.scalar)) << question.scalar;
        EXPECT_EQ(found->answer.find("{{"), std::string::npos) << found->answer;
      }
      for (const rules::YamlNode& question : invalid->items) {
        const auto found = bundled().answer(question.scalar);
        EXPECT_FALSE(found) << id << ": " << question.scalar << " → "
                            << (found ? found->answer : "");
      }
    }
  }
}

TEST(BundledPack, AbstainsFromNearMisses) {
  const char* source = std::getenv("TINYARMS_SOURCE");
  ASSERT_NE(source, nullptr) << "run by ctest, which sets TINYARMS_SOURCE to the source folder";
  std::ifstream file(std::string(source) + "/src/questions/testdata/near_misses.txt");
  std::string line;
  int count = 0;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    ++count;
    const auto found = bundled().answer(line);
    EXPECT_FALSE(found) << line << " → " << (found ? found->rule_id + ": " + found->answer : "");
  }
  EXPECT_GE(count, 500);
}

TEST(BundledPack, IsPoliteAndPlain) {
  for (const char* question :
       {"what is 2+2", "What is 2+2?", "  Please tell me what is 2+2 ?? ", "WHAT IS 2+2",
        "Hi, could you tell me what 2+2 is? Thanks!", "2+2", "2+2 =", "what\n is\t2+2, please?"}) {
    EXPECT_EQ(answer(bundled(), question), "2+2 = 4") << question;
  }
}

TEST(BundledPack, SurvivesBadInput) {
  for (const std::string& question :
       {std::string(), std::string(" \n\t"), std::string("?"), std::string("2+2\0", 4),
        std::string("what is 2+2 \xff"), std::string(10 << 20, '1'), std::string(10 << 20, '`'),
        "what is " + std::string(100'000, '(') + "1", "what is 1+" + std::string(3000, '-') + "1",
        "what is " + std::string(390, '(') + "1+1" + std::string(390, ')'),
        "which language is this:\n" + std::string(10 << 20, '{'), std::string("```"),
        std::string("does this parse?\n```python\n```\n"), std::string("```\n```\n```\n```")}) {
    EXPECT_FALSE(bundled().answer(question)) << question.substr(0, 40);
  }
}

TEST(BundledPack, AnswersFromManyThreads) {
  std::vector<std::thread> threads;
  std::vector<std::string> answers(4);
  for (size_t i = 0; i < answers.size(); ++i) {
    threads.emplace_back([&, i] { answers[i] = answer(bundled(), "is `f(` valid python?"); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& text : answers) EXPECT_EQ(text, answers[0]);
  EXPECT_THAT(answers[0], HasSubstr("No: as Python"));
}

TEST(QuestionEngine, OneWrongRuleDoesNotStopTheOthers) {
  const QuestionEngine engine = load(R"(
id: good
question: 'what is (?P<thing>blue|red)'
answer: '{{thing}} is a colour'
---
id: bad-regex
question: '(unclosed'
answer: x
---
id: look-ahead
question: 'a(?=b)'
answer: x
---
id: no-answer
question: x
---
id: unknown-key
question: x
answer: y
colour: blue
---
id: unknown-name
question: '(?P<a>x)|y'
answer: '{{b}}'
---
id: bad-compute
question: '(?P<expression>x)'
compute: alchemy
answer: x
---
id: good
question: duplicate
answer: x
---
just text
---
id: also-good
question: [one, two]
answer: three
)");
  EXPECT_EQ(engine.rule_count(), 2u);
  EXPECT_EQ(answer(engine, "What is Blue?"), "Blue is a colour");
  EXPECT_EQ(answer(engine, "two"), "three");
  ASSERT_EQ(engine.problems().size(), 8u);
  for (const Error& problem : engine.problems()) {
    EXPECT_THAT(problem.where, testing::StartsWith("test.yaml:")) << problem.message();
  }
  EXPECT_THAT(engine.problems()[0].message(), HasSubstr("bad-regex"));
  EXPECT_THAT(engine.problems()[3].message(), HasSubstr("unknown key 'colour'"));
  EXPECT_EQ(engine.problems()[3].where, "test.yaml:20:1");
  EXPECT_THAT(engine.problems()[5].message(), HasSubstr("there are arithmetic"));
}

TEST(QuestionEngine, RulesThatDisagreeAnswerNothing) {
  const QuestionEngine engine = load(
      "{id: a, question: x, answer: one}\n---\n{id: b, question: x, answer: two}\n---\n"
      "{id: c, question: y, answer: one}\n---\n{id: d, question: y, answer: one}\n");
  EXPECT_EQ(engine.rule_count(), 4u);
  EXPECT_FALSE(engine.answer("x"));
  ASSERT_TRUE(engine.answer("y"));
  EXPECT_EQ(engine.answer("y")->rule_id, "c");
}

TEST(QuestionEngine, RulesWithWordsAreReadWhereAQuestionHoldsOne) {
  const QuestionEngine engine = load(R"(# a pack
id: first
words: [blue, 'deep red']
question: 'what is (?P<thing>blue|deep red|green)'
answer: '{{thing}} is a colour'
valid:
  what is blue: colour
---
id: broken
words: [broken]
question: 'what is broken'
answer: '{{nothing}}'
---
id: first
words: [blue]
question: 'what is blue'
answer: another
---
id: without
question: 'what is plain'
answer: plain
)");
  EXPECT_EQ(answer(engine, "What is Deep Red?"), "Deep Red is a colour");
  EXPECT_EQ(answer(engine, "what is green"), "(abstains)") << "none of its words";
  EXPECT_EQ(answer(engine, "what is broken"), "(abstains)");
  EXPECT_EQ(answer(engine, "what is blue"), "blue is a colour") << "the first rule stays";
  EXPECT_EQ(answer(engine, "what is plain"), "plain");
  EXPECT_EQ(engine.rule_count(), 2u);
  ASSERT_EQ(engine.problems().size(), 2u);
  EXPECT_EQ(engine.problems()[0].where, "test.yaml:9:1");
  EXPECT_THAT(engine.problems()[0].message(), HasSubstr("rule 'broken'"));
  EXPECT_THAT(engine.problems()[1].message(), HasSubstr("another rule has the same id"));
}

TEST(QuestionEngine, ExpandsPhrases) {
  const QuestionEngine engine = load("{id: a, question: '%{how} sing', answer: like this}\n---\n"
                                     "{id: b, question: '%{nonsense} x', answer: y}\n");
  EXPECT_EQ(answer(engine, "show me how to sing"), "like this");
  EXPECT_EQ(answer(engine, "how do I sing?"), "like this");
  ASSERT_EQ(engine.problems().size(), 1u);
  EXPECT_THAT(engine.problems()[0].message(), HasSubstr("unknown phrase '%{nonsense}'"));
}

TEST(QuestionEngine, RefusesHostileYaml) {
  EXPECT_EQ(load("a: &x [1]\nb: *x\n").rule_count(), 0u);
  EXPECT_EQ(load(std::string(100'000, '[')).problems().size(), 1u);
  EXPECT_EQ(load("id: a\n  question: [").problems().size(), 1u);
  EXPECT_EQ(load("a: 1\n? {a: b}\n: c\n").problems().at(0).where, "test.yaml:2:3");
  EXPECT_EQ(load(std::string(5 << 20, ' ')).problems().size(), 1u);
  EXPECT_EQ(load("{id: a, question: '((a{1,500}){1,500}){1,500}', answer: x}").rule_count(), 0u);
  EXPECT_EQ(load(std::string("\xff\xfe\0\1", 4)).rule_count(), 0u);
  EXPECT_EQ(load("").rule_count(), 0u);
  EXPECT_FALSE(load("").answer("x"));
  std::string noise;
  uint32_t state = 99;
  for (int i = 0; i < 5000; ++i) {
    state = state * 1664525u + 1013904223u;
    noise += "-:[]{}?,&*!|>'\"%@` \n\tab#"[(state >> 24) % 24];
    if (i % 50 != 0) continue;
    EXPECT_EQ(load(noise).rule_count(), 0u);
  }
}

std::string code_rule(const std::string& rule) {
  return "id: r\nlanguage: python\nquestion: 'check(?: this)?'\nanswer: '{{count}} at {{lines}}'\n"
         "otherwise: none\nrule:\n" + rule;
}

TEST(CodeRules, MatchByKindRegexAndRelations) {
  const std::string code = "check\n```python\nfor x in y:\n  if x:\n    print(x)\nprint(1)\n```\n";
  const auto check = [&](const std::string& rule) { return answer(load(code_rule(rule)), code); };
  EXPECT_EQ(check("  kind: call"), "2 at 3, 4");
  EXPECT_EQ(check("  kind: call\n  regex: '1'"), "1 at 4");
  EXPECT_EQ(check("  kind: call\n  inside: {kind: for_statement, stopBy: end}"), "1 at 3");
  EXPECT_EQ(check("  kind: call\n  inside: {kind: for_statement}"), "none") << "not the parent";
  EXPECT_EQ(check("  kind: call\n  not: {inside: {kind: if_statement, stopBy: end}}"), "1 at 4");
  EXPECT_EQ(check("  kind: for_statement\n  has: {kind: call, stopBy: end}"), "1 at 1");
  EXPECT_EQ(check("  kind: for_statement\n  has: {kind: call}"), "none");
  EXPECT_EQ(check("  any: [{kind: if_statement}, {kind: for_statement}]"), "2 at 1, 2");
  EXPECT_EQ(check("  all: [{kind: call}, {regex: 'x'}]"), "1 at 3");
}

TEST(CodeRules, RefuseWhatTheyCannotDo) {
  const auto problem = [](const std::string& rule) {
    const QuestionEngine engine = load(code_rule(rule));
    return engine.problems().empty() ? Error{} : engine.problems()[0];
  };
  EXPECT_EQ(problem("  kind: no_such_kind").code, ErrorCode::Config);
  EXPECT_EQ(problem("  kind: no_such_kind").where, "test.yaml:7:9");
  EXPECT_THAT(problem("  kind: no_such_kind").message(), HasSubstr("rule 'r'"));
  EXPECT_EQ(problem("  regex: '('").code, ErrorCode::Config);
  EXPECT_EQ(problem("  colour: blue").code, ErrorCode::Config);
  EXPECT_EQ(load("{id: r, language: cobol, question: x, answer: y, rule: {kind: call}}")
                .problems().at(0).code,
            ErrorCode::Unsupported);
}

TEST(CodeRules, AbstainFromCodeTheyCannotJudge) {
  const QuestionEngine engine = load(code_rule("  kind: call"));
  EXPECT_EQ(answer(engine, "check `f()`"), "1 at 1");
  EXPECT_FALSE(engine.answer("check")) << "no code";
  EXPECT_FALSE(engine.answer("check\n```python\nf(\n```")) << "does not parse";
  EXPECT_FALSE(engine.answer("check\n```rust\nf()\n```")) << "another language";
  EXPECT_FALSE(engine.answer("check\n```python\nf()\n```\n```python\ng()\n```")) << "two blocks";
}

}  // namespace
}  // namespace tinyarms::questions
