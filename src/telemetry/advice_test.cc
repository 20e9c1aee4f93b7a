#include "telemetry/advice.h"

#include <gtest/gtest.h>

#include "telemetry/sample_test.h"

namespace tinyarms::telemetry {
namespace {

// `kept` of 50 answers of L2 to questions about code are kept, the others have `confidence`.
std::vector<Counted> seldom(int kept, double confidence, const std::string& evidence = "{}") {
  std::vector<Counted> decisions;
  for (int i = 0; i < 50; ++i) {
    const std::string question = "q" + std::to_string(i);
    if (i < kept) {
      decisions.push_back(sample("code", {sample_step("l2", "accept", 1, 0.9)}, 100, question));
      continue;
    }
    auto draft = sample_step("l2", "escalate", 1, confidence);
    draft.evidence = evidence;
    decisions.push_back(
        sample("code", {draft, sample_step("l3", "accept", 4, 0.9)}, 100, question));
  }
  return decisions;
}

std::vector<Advice> advice_on(const std::vector<Counted>& decisions) {
  return advice_of(usage_of(decisions, 0, 1), decisions);
}

TEST(Advice, ATierThatIsSeldomKept) {
  const auto advice = advice_on(seldom(6, 0.2));
  ASSERT_EQ(advice.size(), 1u);
  EXPECT_EQ(advice[0].kind, "seldom_kept");
  EXPECT_EQ(advice[0].tier, "l2");
  EXPECT_EQ(advice[0].intent, "code");
  EXPECT_EQ(advice[0].text,
            "L2 kept 12 % (6 of 50) of code questions. Threshold, model or prompt? The median "
            "confidence of those turned down is 0.20, 0.40 below the threshold, and neither "
            "parsing nor length tells why.");
  EXPECT_EQ(advice[0].numbers.front(), (std::pair<std::string, double>("answered", 50)));
}

TEST(Advice, NamesTheCauseWhereTheEvidenceDoes) {
  const auto text = [](double confidence, const char* evidence) {
    return advice_on(seldom(6, confidence, evidence)).at(0).text;
  };
  EXPECT_NE(text(0.55, "{}").find("Threshold: 100 % (44 of 44)"), std::string::npos);
  EXPECT_NE(text(0.2, "{\"code_parses\":false}").find("Model: the code"), std::string::npos);
  EXPECT_NE(text(0.2, "{\"finished\":false}").find("were cut off"), std::string::npos);
}

TEST(Advice, IsSilentWhereAllIsWellOrNumbersAreFew) {
  EXPECT_TRUE(advice_on(seldom(40, 0.2)).empty());
  auto few = seldom(6, 0.2);
  few.resize(10);
  EXPECT_TRUE(advice_on(few).empty());
  EXPECT_TRUE(advice_on({}).empty());
}

TEST(Advice, WrongFailingUnansweredAndAskedAgain) {
  std::vector<Counted> decisions;
  for (int i = 0; i < 20; ++i) {
    auto step = sample_step("l2", "accept", 1, 0.9);
    step.good = i % 2 == 0;
    decisions.push_back(sample("maths", {step}));  // always the same question
  }
  for (int i = 0; i < 5; ++i) {
    decisions.push_back(sample("maths", {sample_step("l2", "fail", 1)}, 100, ""));
  }
  std::vector<std::string> kinds;
  for (const Advice& one : advice_on(decisions)) kinds.push_back(one.kind);
  EXPECT_EQ(kinds, (std::vector<std::string>{"often_wrong", "failing", "unanswered",
                                             "asked_again"}));
}

}  // namespace
}  // namespace tinyarms::telemetry
