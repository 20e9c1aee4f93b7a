#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "eval/task_registry.h"
#include "eval/tasks/math_answer.h"
#include "eval/tasks/math_equivalence.h"
#include "eval/tasks/no_judge.h"
#include "sandbox/judge.h"

namespace tinyarms::eval {
namespace {

using testing::NoJudge;

TEST(MathAnswer, TakesTheLastBoxWithItsBraces) {
  EXPECT_EQ(last_boxed("\\boxed{1} then \\boxed{\\frac{1}{2}}."), "\\frac{1}{2}");
  EXPECT_EQ(last_boxed("\\boxed{\\{1,2\\}}"), "\\{1,2\\}");
  EXPECT_EQ(last_boxed("\\fbox{7}"), "7");
  EXPECT_EQ(last_boxed("\\boxed{3} and \\fbox{4}"), "4");
  EXPECT_EQ(last_boxed("$\\boxed 5$"), "5");
  EXPECT_EQ(last_boxed("\\boxed {5}"), "5");
  EXPECT_EQ(last_boxed("\\boxed{\\text{a } b}"), "\\text{a } b");
  EXPECT_FALSE(last_boxed("\\boxed{\\frac{1}{2}"));
  EXPECT_FALSE(last_boxed("\\boxed"));
  EXPECT_FALSE(last_boxed("no box"));
}

TEST(MathAnswer, FallsBackInTheDocumentedOrder) {
  EXPECT_EQ(final_answer("So $x=1$. The answer is $\\frac12$. I hope it is correct."),
            "$\\frac12$");
  EXPECT_EQ(final_answer("**Answer:** 12"), "12");
  EXPECT_EQ(final_answer("The final answer is 3.5."), "3.5");
  EXPECT_EQ(final_answer("we get $1+1=2$ and so $x = 7$ holds"), "x = 7");
  EXPECT_EQ(final_answer("hence\n\\[ y = 4 \\]\nas wanted"), "y = 4");
  EXPECT_EQ(final_answer("I think\n42\n\n"), "42");
  EXPECT_FALSE(final_answer(" \n "));
}

// tests/cases/math_answers.tsv, both ways round.
TEST(MathEquivalence, AgreesWithEveryHandMadePair) {
  const char* source = std::getenv("TINYARMS_SOURCE");
  ASSERT_NE(source, nullptr);
  std::ifstream file(std::filesystem::path(source) / "tests/cases/math_answers.tsv");
  std::string line;
  size_t pairs = 0;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    const size_t first = line.find('\t');
    const size_t second = line.find('\t', first + 1);
    ASSERT_NE(second, std::string::npos) << line;
    const std::string verdict = line.substr(0, first);
    ASSERT_TRUE(verdict == "same" || verdict == "different") << line;
    const std::string one = line.substr(first + 1, second - first - 1);
    const std::string other = line.substr(second + 1);
    EXPECT_EQ(same_answer(one, other), verdict == "same") << line;
    EXPECT_EQ(same_answer(other, one), verdict == "same") << line;
    ++pairs;
  }
  EXPECT_GE(pairs, 300u);
}

TEST(MathEquivalence, HostileTextEndsSoon) {
  const std::string deep(100000, '(');
  EXPECT_FALSE(same_answer(deep, "1"));
  EXPECT_FALSE(same_answer(std::string(1900, '('), "1"));
  EXPECT_FALSE(same_answer(std::string(1900, '-') + "1", "2"));
  EXPECT_FALSE(same_answer(std::string(900, '1') + "!", "3"));
  EXPECT_FALSE(same_answer("9^{9^{9^{9}}}", "9^{9^{9^{8}}}"));
  std::string nested;
  for (int i = 0; i < 300; ++i) nested += "\\frac{1}{";
  EXPECT_FALSE(same_answer(nested, "1"));
  std::string many = "1";
  for (int i = 0; i < 900; ++i) many += ",1";
  EXPECT_FALSE(same_answer(many + ",2", many + ",3"));
  EXPECT_FALSE(same_answer("\\text{", "\\text"));
  EXPECT_FALSE(same_answer("\\begin{pmatrix}\\end{pmatrix}", "0"));
  EXPECT_FALSE(same_answer("_", "x_"));
  EXPECT_FALSE(same_answer(std::string("\0\0", 2), "0"));
}

class MathData : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* shared = std::getenv("TINYARMS_SHARED");
    folder_ = std::filesystem::path(shared == nullptr ? "" : shared) / "data";
    if (!std::filesystem::exists(folder_ / "math500")) {
      GTEST_SKIP() << "no MATH-500 in " << folder_ << ": set TINYARMS_SHARED to a folder with "
                   << "data/math500/test.jsonl";
    }
    auto items = task_->read(folder_);
    ASSERT_TRUE(items) << items.error().message();
    items_ = std::move(*items);
  }
  bool right(const Item& item, const std::string& answer) {
    const auto verdict = task_->score(item, answer, judge_);
    EXPECT_TRUE(verdict) << item.id;
    return verdict && verdict->correct;
  }
  static std::string gold(const Item& item) {
    return nlohmann::json::parse(item.reference).get<std::string>();
  }

  std::unique_ptr<Task> task_ = make_math500();
  std::filesystem::path folder_;
  std::vector<Item> items_;
  NoJudge judge_;
};

TEST_F(MathData, EveryGoldAnswerIsRight) {
  EXPECT_GE(items_.size(), 250u);
  for (const Item& item : items_) {
    EXPECT_TRUE(right(item, "So it is $\\boxed{" + gold(item) + "}$.")) << item.id;
  }
}

TEST_F(MathData, EverySolutionBoxesItsGoldAnswer) {
  std::ifstream file(folder_ / "math500/math500_first250.jsonl");
  if (!file) file.open(folder_ / "math500/test.jsonl");
  std::string line;
  for (const Item& item : items_) {
    ASSERT_TRUE(std::getline(file, line));
    EXPECT_TRUE(right(item, nlohmann::json::parse(line)["solution"])) << item.id;
  }
}

// Another sign, another last digit, one element more, one number more.
TEST_F(MathData, PerturbedGoldAnswersAreWrong) {
  size_t tried = 0;
  for (const Item& item : items_) {
    const std::string answer = gold(item);
    std::vector<std::string> wrong = {answer + ", 77", "\\text{none of these}", "77731"};
    const size_t digit = answer.find_first_of("0123456789");
    if (digit != std::string::npos) {
      std::string other = answer;
      other[digit] = other[digit] == '9' ? '8' : static_cast<char>(other[digit] + 1);
      wrong.push_back(other);
    }
    const bool scalar = answer.find_first_of(",=&[") == std::string::npos &&
                        answer.find("\\text") == std::string::npos && answer != "0" &&
                        answer.find("\\pm") == std::string::npos;
    if (scalar && answer.find('_') == std::string::npos) {
      wrong.push_back("-(" + answer + ")");
      wrong.push_back("(" + answer + ") + 1");
    }
    for (const std::string& text : wrong) {
      EXPECT_FALSE(right(item, "\\boxed{" + text + "}")) << item.id << ": " << text;
      ++tried;
    }
    EXPECT_FALSE(right(item, ""));
  }
  EXPECT_GE(tried, 1000u);
}

}  // namespace
}  // namespace tinyarms::eval
