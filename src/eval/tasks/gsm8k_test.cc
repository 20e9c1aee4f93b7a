#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "eval/task_registry.h"
#include "eval/tasks/gsm8k_number.h"
#include "eval/tasks/no_judge.h"
#include "sandbox/judge.h"

namespace tinyarms::eval {
namespace {

// Scoring numbers runs nothing; a call here is a mistake.
using testing::NoJudge;

std::string number(std::string_view text) {
  const auto found = final_number(text);
  if (!found) return "none";
  return found->is_integer()
             ? std::to_string(found->numerator)
             : std::to_string(found->numerator) + "/" + std::to_string(found->denominator);
}

TEST(Gsm8kNumber, TheMarkGoesFirst) {
  EXPECT_EQ(number("She has 3 left.\n#### 18"), "18");
  EXPECT_EQ(number("#### 18\n\nQ: another of 99\nA: #### 7"), "18");
  EXPECT_EQ(number("#### $1,234.50 dollars"), "2469/2");
  EXPECT_EQ(number("####\nSo 12"), "12");
  EXPECT_EQ(number("#### The answer is 42."), "42");
}

TEST(Gsm8kNumber, ThenTheBoxThePhraseAndTheLastNumber) {
  EXPECT_EQ(number("so 3 of 4\n\\boxed{72} and 5 more words"), "72");
  EXPECT_EQ(number("\\boxed{\\$1{,}200}"), "1200");
  EXPECT_EQ(number("The answer is 72. I used 3 steps."), "72");
  EXPECT_EQ(number("**The answer is: $8**\nChecked 2 times."), "8");
  EXPECT_EQ(number("First 3, then 4, so 3 + 4 = 7."), "7");
  EXPECT_EQ(number("It is 12.\n"), "12");
}

TEST(Gsm8kNumber, TakesWhatANumberMayCarry) {
  EXPECT_EQ(number("#### 1,234"), "1234");
  EXPECT_EQ(number("#### 1,234,567"), "1234567");
  EXPECT_EQ(number("#### 70,000.00"), "70000");
  EXPECT_EQ(number("#### 18,\\!000"), "18000");
  EXPECT_EQ(number("#### 50%"), "50");
  EXPECT_EQ(number("#### 12 eggs"), "12");
  EXPECT_EQ(number("#### €9.99"), "999/100");
  EXPECT_EQ(number("#### .5"), "1/2");
  EXPECT_EQ(number("#### 3/4"), "3/4");
  EXPECT_EQ(number("#### 6 / 8 cup"), "3/4");
  EXPECT_EQ(number("#### 2 1/2"), "5/2");
  EXPECT_EQ(number("#### 10."), "10");
  EXPECT_EQ(number("so it is 3, 4"), "4");
  EXPECT_EQ(number("in 2,34 no group"), "34");
}

TEST(Gsm8kNumber, TellsAMinusFromAHyphen) {
  EXPECT_EQ(number("#### -5"), "-5");
  EXPECT_EQ(number("#### -$5"), "-5");
  EXPECT_EQ(number("#### $-5"), "-5");
  EXPECT_EQ(number("#### \u22125"), "-5");
  EXPECT_EQ(number("between 10-15"), "15");
  EXPECT_EQ(number("= -3"), "-3");
  EXPECT_EQ(number("x-3"), "3");
}

TEST(Gsm8kNumber, DoesNotTakeWhatIsNone) {
  EXPECT_EQ(number(""), "none");
  EXPECT_EQ(number("I do not know."), "none");
  EXPECT_EQ(number("#### none"), "none");
  EXPECT_EQ(number("H2O"), "none");
  EXPECT_EQ(number("#### 5/0"), "5");
  EXPECT_EQ(number(std::string(100000, '9')), "none");
  EXPECT_EQ(number(std::string(100000, ',')), "none");
  EXPECT_EQ(number("99999999999999999999 then 4"), "4");
}

class Gsm8kData : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* shared = std::getenv("TINYARMS_SHARED");
    folder_ = std::filesystem::path(shared == nullptr ? "" : shared) / "data";
    if (!std::filesystem::exists(folder_ / "gsm8k")) {
      GTEST_SKIP() << "no GSM8K in " << folder_ << ": set TINYARMS_SHARED to a folder with "
                   << "data/gsm8k/test.jsonl (openai/grade-school-math)";
    }
  }
  std::filesystem::path folder_;
  NoJudge judge_;
};

// The gold solution of every item is right; the same with another number is wrong.
TEST_F(Gsm8kData, GoldIsRightAndPerturbedGoldIsWrong) {
  for (const size_t shots : {size_t{0}, size_t{8}}) {
    const auto task = make_gsm8k(shots);
    const auto items = task->read(folder_);
    ASSERT_TRUE(items) << items.error().message();
    EXPECT_GE(items->size(), 600u);
    size_t right = 0;
    size_t perturbed_right = 0;
    for (const Item& item : *items) {
      const std::string gold = item.reference.substr(1, item.reference.size() - 2);
      right += task->score(item, "Some steps with 3 numbers.\n" + gold, judge_)->correct;
      for (const std::string& wrong : {gold + "1", "#### 1" + gold.substr(5), gold + "/7",
                                      std::string("#### -") + gold.substr(5), std::string()}) {
        if (gold == "#### 0") continue;  // whose negative and parts are itself
        perturbed_right += task->score(item, wrong, judge_)->correct;
      }
    }
    EXPECT_EQ(right, items->size());
    EXPECT_EQ(perturbed_right, 0u);
  }
}

TEST_F(Gsm8kData, EightExamplesStandBeforeTheQuestion) {
  const auto items = make_gsm8k(8)->read(folder_);
  ASSERT_TRUE(items);
  const std::string& prompt = items->front().messages.front().content;
  size_t marks = 0;
  for (size_t at = prompt.find("####"); at != std::string::npos; at = prompt.find("####", at + 1)) {
    ++marks;
  }
  EXPECT_EQ(marks, 8u);
  EXPECT_TRUE(prompt.ends_with("\nA:"));
}

TEST(Gsm8k, BrokenLinesAreNamed) {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("tinyarms-gsm8k-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder / "gsm8k");
  const auto where = [&](const std::string& text) {
    std::ofstream(folder / "gsm8k/test.jsonl") << text;
    const auto items = make_gsm8k(0)->read(folder);
    EXPECT_FALSE(items);
    if (items) return std::string();
    EXPECT_EQ(items.error().code, ErrorCode::Corrupt);
    return items.error().where.substr(items.error().where.rfind(':') + 1);
  };
  const std::string good = R"({"question": "How many?", "answer": "#### 4"})";
  EXPECT_EQ(where(good + "\n{\"question\": 3}\n"), "2");
  EXPECT_EQ(where("nonsense\n"), "1");
  EXPECT_EQ(where(good + "\n" + good + "\n[]\n"), "3");
  EXPECT_EQ(where(R"({"question": "How many?", "answer": "four"})"), "1");
  std::filesystem::remove_all(folder);
  const auto missing = make_gsm8k(0)->read(folder);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace tinyarms::eval
