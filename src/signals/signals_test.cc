#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "cascade/evidence.h"
#include "sandbox/judge.h"
#include "signals/agreement.h"
#include "signals/answer_code.h"
#include "signals/panel.h"
#include "signals/registry.h"

namespace tinyarms::signals {
namespace {

using testing::HasSubstr;

class HandClock final : public Clock {
 public:
  double monotonic_seconds() const override { return now += 0.25; }
  double wall_seconds() const override { return now; }
  mutable double now = 0;
};

// Passes programs whose tests do not hold a certain text, and prints what it is told to.
class ScriptedJudge final : public sandbox::Judge {
 public:
  Result<void> available(std::string_view language) override {
    if (language != "go") return {};
    return Error{ErrorCode::Unsupported, "go is not installed", "", ""};
  }
  Result<sandbox::Outcome> run(const sandbox::Program& program) override {
    ++runs;
    if (broken) return Error{ErrorCode::Unsupported, "no sandbox", "", ""};
    sandbox::Outcome outcome;
    const bool fails =
        (!failing.empty() && program.tests.find(failing) != std::string::npos) ||
        program.input.find("def (") != std::string::npos;
    outcome.exit_code = fails ? 1 : 0;
    outcome.output = program.source.find("'b'") != std::string::npos ? "\x01 2\n" : "\x01 1\n";
    return outcome;
  }
  std::string failing;
  bool broken = false;
  int runs = 0;
};

struct Asked {
  explicit Asked(const std::string& question) {
    request.messages.push_back({cascade::Role::User, question});
  }
  std::optional<double> measure(const Signal& signal, std::string_view answer,
                                const Instruments& lent = {}) {
    auto value = signal.measure(
        {.request = request, .so_far = trace, .answer = answer, .stop = stop}, lent);
    EXPECT_TRUE(value) << value.error().message();
    return value ? *value : std::nullopt;
  }
  cascade::Request request;
  cascade::Trace trace;
  StopFlag stop;
};

constexpr std::string_view kQuestion =
    "Write this function:\n```python\nfrom typing import List\n\ndef add(a: int, b: int) -> int:\n"
    "    \"\"\" Adds.\n    >>> add(1, 2)\n    3\n    >>> add(2, 2)\n    4\n    \"\"\"\n```\n";
constexpr std::string_view kAnswer = "```python\ndef add(a, b):\n    return a + b\n```\n";

TEST(Registry, EverySignalIsWhole) {
  std::set<std::string_view> names;
  for (const Signal* signal : all_signals()) {
    EXPECT_TRUE(names.insert(signal->name).second) << signal->name;
    EXPECT_FALSE(signal->meaning.empty());
    EXPECT_LT(signal->low, signal->high);
    ASSERT_NE(signal->measure, nullptr);
    EXPECT_EQ(find_signal(signal->name), signal);
    // Without instruments, on nothing: missing or a number in range, never a crash.
    Asked asked("");
    const auto value = asked.measure(*signal, "");
    if (value) {
      EXPECT_GE(*value, signal->low);
      EXPECT_LE(*value, signal->high);
    }
  }
}

TEST(Examples, DoctestsAssertsAndSentences) {
  const auto examples = examples_of(kQuestion);
  ASSERT_EQ(examples.size(), 2u);
  EXPECT_EQ(examples[0].call, "add(1, 2)");
  EXPECT_EQ(examples[0].expected, "3");

  const auto others = examples_of(
      "Your code should pass:\nassert twice(2) == 4\n\n- `f([1])` returns `[2]`.\n"
      "g(3) ➞ \"x\"\ndef h(a) -> int:\nassert broken(\nIt returns nothing (sadly).\n"
      "assert twice(2) == 4\n");
  ASSERT_EQ(others.size(), 3u);
  EXPECT_EQ(others[0].statement, "assert twice(2) == 4");
  EXPECT_EQ(others[1].call, "f([1])");
  EXPECT_EQ(others[1].expected, "[2]");
  EXPECT_EQ(others[2].expected, "\"x\"");
}

TEST(Examples, AQuoteInsideCannotEndTheText) {
  const std::string test = test_of({.call = "f(1)", .expected = "it's \\ 'x'", .statement = ""});
  EXPECT_THAT(test, HasSubstr(R"(literal_eval('it\'s \\ \'x\''))"));
}

TEST(Examples, TheQuestionsImportsGoFirst) {
  EXPECT_TRUE(python_of(kAnswer, kQuestion).starts_with("from typing import List\ndef add"));
  EXPECT_EQ(python_of("It is 3.", kQuestion), "");
}

TEST(ExamplesPass, IsTheShareThatHolds) {
  ScriptedJudge judge;
  Asked asked{std::string(kQuestion)};
  EXPECT_EQ(asked.measure(kExamplesPass, kAnswer, {.judge = &judge}), 1.0);
  EXPECT_EQ(judge.runs, 1);
  judge.failing = "add(2, 2)";
  EXPECT_EQ(asked.measure(kExamplesPass, kAnswer, {.judge = &judge}), 0.5);
  EXPECT_EQ(asked.measure(kExamplesPass, "no code", {.judge = &judge}), std::nullopt);
  EXPECT_EQ(asked.measure(kExamplesPass, kAnswer), std::nullopt);
  EXPECT_EQ(Asked("Hello").measure(kExamplesPass, kAnswer, {.judge = &judge}), std::nullopt);
}

TEST(Compiles, EveryBlockWhoseCompilerIsThere) {
  ScriptedJudge judge;
  Asked asked("x");
  EXPECT_EQ(asked.measure(kCompiles, kAnswer, {.judge = &judge}), 1.0);
  EXPECT_EQ(asked.measure(kCompiles, "```python\ndef (\n```", {.judge = &judge}), 0.0);
  EXPECT_EQ(asked.measure(kCompiles, "```go\nfunc f() {}\n```", {.judge = &judge}), std::nullopt);
  EXPECT_EQ(asked.measure(kCompiles, "words", {.judge = &judge}), std::nullopt);
}

TEST(Verification, IsTheProbabilityOfYesAgainstNo) {
  Asked asked("What is 2 + 2?");
  std::string seen;
  const Instruments lent{.ask_same = [&](const std::string& question,
                                         std::span<const std::string> replies)
                             -> Result<std::vector<double>> {
    seen = question;
    EXPECT_EQ(replies.size(), 2u);
    return std::vector<double>{std::log(0.3), std::log(0.1)};
  }};
  EXPECT_NEAR(asked.measure(kSelfVerification, "4", lent).value_or(0), 0.75, 1e-12);
  EXPECT_THAT(seen, HasSubstr("What is 2 + 2?"));
  EXPECT_EQ(asked.measure(kNextVerification, "4", lent), std::nullopt);
}

TEST(Agreement, ByNumberByBehaviourByWords) {
  EXPECT_EQ(final_number("so 3 + 4 = 7.\n#### 1,007.50"), "1007.5");
  EXPECT_EQ(final_number("It is \\boxed{-12}."), "-12");
  EXPECT_EQ(final_number("first 3, then 4.0"), "4");
  EXPECT_EQ(final_number("none"), "");

  const std::string many = "How many apples are there?";
  const auto key = [](std::string_view question, std::string_view answer,
                      sandbox::Judge* judge = nullptr) {
    auto made = answer_key(question, answer, judge);
    EXPECT_TRUE(made);
    return *made;
  };
  EXPECT_EQ(agreement(key(many, "There are 4."), key(many, "2 + 2 = 4.00 apples")), 1);
  EXPECT_EQ(agreement(key(many, "4"), key(many, "5")), 0);
  EXPECT_EQ(agreement(key("Hi", "a b c"), key("Hi", "c B d a")), 0.75);

  ScriptedJudge judge;
  const AnswerKey a = key(kQuestion, kAnswer, &judge);
  EXPECT_EQ(a.kind, AnswerKey::Kind::Behaviour);
  EXPECT_EQ(agreement(a, key(kQuestion, "```python\ndef add(x, y):\n    return y + x\n```",
                             &judge)), 1);
  EXPECT_EQ(agreement(a, key(kQuestion, "```python\ndef add(x, y):\n    return 'b'\n```",
                             &judge)), 0);
  // Without a sandbox, by the text but for comments and spaces.
  EXPECT_EQ(agreement(key(kQuestion, kAnswer),
                      key(kQuestion, "```python\n# sum\ndef add(a, b):\n\n  return a + b\n```")),
            1);
}

TEST(SelfAgreement, AsksFourTimes) {
  Asked asked("How many?");
  int calls = 0;
  const Instruments lent{.sample = [&](double temperature, uint32_t seed) -> Result<std::string> {
    EXPECT_GT(temperature, 0);
    ++calls;
    return std::string(seed == 2 ? "It is 9." : "It is 8.");
  }};
  EXPECT_EQ(asked.measure(kSelfAgreement, "8", lent), 0.75);
  EXPECT_EQ(calls, 4);
}

TEST(Panel, MissingIsNotZeroAndFailuresAreTold) {
  auto panel = Panel::of({"compiles", "question_words", "examples_pass"});
  ASSERT_TRUE(panel);
  EXPECT_TRUE(panel->needs(Cost::Program));
  EXPECT_FALSE(panel->needs(Cost::Prefill));
  ScriptedJudge judge;
  judge.broken = true;
  HandClock clock;
  Asked asked("three words here");
  cascade::Evidence evidence;
  panel->add_to(evidence,
                {.request = asked.request, .so_far = {}, .answer = kAnswer, .stop = asked.stop},
                {.judge = &judge}, clock);
  EXPECT_EQ(evidence.number("question_words"), 3.0);
  EXPECT_EQ(evidence.number("compiles"), std::nullopt);
  EXPECT_EQ(evidence.number("examples_pass"), std::nullopt);
  EXPECT_GT(evidence.number(kSignalSeconds).value_or(0), 0);
  EXPECT_THAT(evidence.text(kSignalProblems).value_or(""), HasSubstr("no sandbox"));
}

TEST(Panel, AMisspeltSignalIsCorrected) {
  auto panel = Panel::of({"compile"});
  ASSERT_FALSE(panel);
  EXPECT_THAT(panel.error().hint, HasSubstr("compiles"));
}

}  // namespace
}  // namespace tinyarms::signals
