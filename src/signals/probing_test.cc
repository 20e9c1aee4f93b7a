#include "signals/probing.h"

#include <gtest/gtest.h>

#include "sandbox/bubblewrap_judge.h"
#include "signals/agreement.h"

namespace tinyarms::signals {
namespace {

std::string python_block(const std::string& code) { return "```python\n" + code + "\n```\n"; }

// Prints what is written after "# prints " in the program.
class PrintingJudge final : public sandbox::Judge {
 public:
  Result<void> available(std::string_view) override { return {}; }
  Result<sandbox::Outcome> run(const sandbox::Program& program) override {
    ++runs;
    sandbox::Outcome outcome;
    size_t at = 0;
    while ((at = program.source.find("# prints ", at)) != std::string::npos) {
      at += 9;
      const size_t end = program.source.find('\n', at);
      outcome.output += "\x01" + program.source.substr(at, end - at) + "\n";
    }
    return outcome;
  }
  int runs = 0;
};

std::string printing(const std::string& lines) {
  return python_block("def f(x):\n    pass\n" + lines);
}

TEST(ProbingTest, CountsWhereOneOfBothHasAValue) {
  PrintingJudge judge;
  const auto share = agreement_on_probes(
      "write f", printing("# prints 0 1\n# prints 1 !TypeError\n# prints 2 'a'\n# prints 3 []"),
      printing("# prints 0 1\n# prints 1 !TypeError\n# prints 2 'b'"), judge);
  ASSERT_TRUE(share) << share.error().message();
  ASSERT_TRUE(*share);
  EXPECT_DOUBLE_EQ(**share, 1.0 / 3);  // probe 1 has no value, and probe 3 never ended in one
}

TEST(ProbingTest, NothingCanBeToldWithoutAValueOrACommonFunction) {
  PrintingJudge judge;
  const auto silent = agreement_on_probes("write f", printing(""), printing(""), judge);
  ASSERT_TRUE(silent);
  EXPECT_FALSE(*silent);
  const auto other = agreement_on_probes("write f", printing(""),
                                         python_block("def g(x):\n    return x"), judge);
  ASSERT_TRUE(other);
  EXPECT_FALSE(*other);
  EXPECT_EQ(judge.runs, 2);
}

TEST(ProbingTest, OfSeveralFunctionsTheOneInTheQuestionIsTried) {
  PrintingJudge judge;
  const std::string two = python_block("def f(x):\n    pass\ndef g(x):\n    pass\n# prints 0 1");
  const auto unnamed = agreement_on_probes("write it", two, two, judge);
  ASSERT_TRUE(unnamed);
  EXPECT_FALSE(*unnamed);
  const auto named = agreement_on_probes("write g", two, two, judge);
  ASSERT_TRUE(named);
  EXPECT_EQ(*named, 1.0);
}

TEST(ProbingTest, InTheSandbox) {
  const auto judge = sandbox::make_judge();
  if (auto there = judge->available("python"); !there) {
    GTEST_SKIP() << "SKIPPED: Python programs cannot run here, so no two answers are compared by "
                    "made-up calls: " << there.error().message();
  }
  const std::string sum = python_block("def add(a, b):\n    return a + b");
  const std::string other = python_block("def add(x, y):\n    total = x + y\n    return total");
  const auto same = agreement_on_probes("Write add.", sum, other, *judge);
  ASSERT_TRUE(same) << same.error().message();
  EXPECT_EQ(*same, 1.0);
  const std::string wrong = python_block("def add(a, b):\n    return a - b");
  const auto differs = agreement_on_probes("Write add.", sum, wrong, *judge);
  ASSERT_TRUE(differs && *differs);
  EXPECT_LT(**differs, 0.5);
  const std::string endless = python_block("def add(a, b):\n    while True: pass");
  const auto never = agreement_on_probes("Write add.", sum, endless, *judge);
  ASSERT_TRUE(never && *never);
  EXPECT_EQ(**never, 0.0);
}

TEST(ChosenOption, IsTheLetterOfAQuestionThatOffersSome) {
  const std::string question = "Which is a stack?\nA. LIFO\nB. FIFO\nC. Both\n";
  EXPECT_EQ(chosen_option(question, "B"), "B");
  EXPECT_EQ(chosen_option(question, " (A) LIFO"), "A");
  EXPECT_EQ(chosen_option(question, "I think the answer is C."), "C");
  EXPECT_EQ(chosen_option(question, "Because of queues"), "");
  EXPECT_EQ(chosen_option("What is a stack?", "A"), "");
}

}  // namespace
}  // namespace tinyarms::signals
