#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "intent/evaluation.h"
#include "intent/example.h"
#include "intent/head.h"
#include "intent/train.h"

namespace tinyarms::intent {
namespace {

using testing::HasSubstr;

// Points on a circle: class k of n around the angle 2πk/n, spread by a fixed sequence.
struct Circle {
  std::vector<Example> examples;
  std::vector<std::vector<float>> vectors;

  void add(const std::string& name, double centre, size_t count, double spread) {
    for (size_t i = 0; i < count; ++i) {
      const double angle = centre + spread * std::sin(static_cast<double>(i * 7 + 1));
      examples.push_back({name + std::to_string(i), name});
      vectors.push_back({static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))});
    }
  }
};

Error failure(std::string_view text) {
  auto parsed = parse_examples(text, "mine.jsonl");
  EXPECT_FALSE(parsed);
  return parsed ? Error{} : parsed.error();
}

TEST(IntentExampleTest, ReadsLinesAndPassesOverBlankOnes) {
  auto examples = parse_examples(
      "{\"text\":\"a\",\"intent\":\"x\"}\r\n\n{\"prompt\":\"b\",\"label\":\"y-1\"}", "f");
  ASSERT_TRUE(examples) << examples.error().message();
  ASSERT_EQ(examples->size(), 2U);
  EXPECT_EQ((*examples)[1].text, "b");
  EXPECT_EQ((*examples)[1].intent, "y-1");
}

TEST(IntentExampleTest, WhatIsWrongIsNamedWithItsLine) {
  EXPECT_EQ(failure("{\"text\":\"a\",\"intent\":\"x\"}\nnonsense").where, "mine.jsonl:2");
  EXPECT_THAT(failure("[1]").what, HasSubstr("JSON object"));
  EXPECT_THAT(failure("{\"text\":3,\"intent\":\"x\"}").what, HasSubstr("`text`"));
  EXPECT_THAT(failure("{\"text\":\"  \",\"intent\":\"x\"}").what, HasSubstr("`text`"));
  EXPECT_THAT(failure("{\"text\":\"a\"}").what, HasSubstr("`intent`"));
  EXPECT_THAT(failure("{\"text\":\"a\",\"intent\":\"no blanks\"}").what, HasSubstr("letters"));
  EXPECT_THAT(failure("{\"text\":\"\xff\",\"intent\":\"x\"}").what, HasSubstr("UTF-8"));
  EXPECT_THAT(failure("").what, HasSubstr("no examples"));
  EXPECT_THAT(failure("{\"text\":\"a\",\"intent\":\"x\"}\n{\"text\":\"a\",\"intent\":\"y\"}").what,
              HasSubstr("`x`"));
}

TEST(IntentExampleTest, TheBundledOnesAreManyAndDistinct) {
  std::map<std::string, size_t> counts;
  std::set<std::string> texts;
  for (const Example& example : bundled_examples()) {
    ++counts[example.intent];
    EXPECT_TRUE(texts.insert(example.text).second) << example.text;
  }
  EXPECT_EQ(counts.size(), 5U);
  for (const char* name : {"code", "general", "maths", "tools", "about-my-code"}) {
    EXPECT_GE(counts[name], 60U) << name;
  }
}

TEST(IntentTrainTest, TellsSeparateClassesApartWithSureness) {
  Circle circle;
  circle.add("a", 0, 30, 0.3);
  circle.add("b", 2, 30, 0.3);
  circle.add("c", 4, 30, 0.3);
  auto training = train(circle.examples, circle.vectors, "e");
  ASSERT_TRUE(training) << training.error().message();
  EXPECT_EQ(training->held_out_accuracy, 1);
  const std::vector<float> near_b = {static_cast<float>(std::cos(2.1)),
                                     static_cast<float>(std::sin(2.1))};
  const Intent intent = training->head.classify(near_b);
  EXPECT_EQ(intent.name, "b");
  EXPECT_GT(intent.probability, 0.9);
  double sum = 0;
  for (const auto& [name, p] : intent.probabilities) sum += p;
  EXPECT_NEAR(sum, 1, 1e-9);
}

TEST(IntentTrainTest, ProbabilitiesOfOverlappingClassesAreNotSure) {
  Circle circle;
  circle.add("a", 0, 200, 1.5);
  circle.add("b", 0.4, 200, 1.5);
  auto training = train(circle.examples, circle.vectors, "e");
  ASSERT_TRUE(training);
  const Evaluation result = evaluate(training->head, circle.examples, circle.vectors);
  EXPECT_LT(result.calibration_error, 0.1);
  EXPECT_LT(result.accuracy(), 0.9);
}

TEST(IntentTrainTest, TooLittleIsRefused) {
  Circle one;
  one.add("a", 0, 10, 0.1);
  auto alone = train(one.examples, one.vectors, "e");
  ASSERT_FALSE(alone);
  EXPECT_THAT(alone.error().what, HasSubstr("one class"));
  one.add("b", 2, 4, 0.1);
  auto few = train(one.examples, one.vectors, "e");
  ASSERT_FALSE(few);
  EXPECT_THAT(few.error().what, HasSubstr("`b` has 4"));
}

TEST(IntentHeadTest, SurvivesItsFile) {
  Circle circle;
  circle.add("a", 0, 12, 0.3);
  circle.add("b", 2, 12, 0.3);
  auto training = train(circle.examples, circle.vectors, "e1");
  ASSERT_TRUE(training);
  auto head = parse_head(head_json(training->head), "h");
  ASSERT_TRUE(head) << head.error().message();
  EXPECT_EQ(head->encoder, "e1");
  const Intent before = training->head.classify(circle.vectors[3]);
  const Intent after = head->classify(circle.vectors[3]);
  EXPECT_EQ(before.name, after.name);
  EXPECT_NEAR(before.probability, after.probability, 1e-4);
}

TEST(IntentHeadTest, DamagedFilesAreRefused) {
  EXPECT_EQ(parse_head("{", "h").error().code, ErrorCode::Corrupt);
  EXPECT_EQ(parse_head("{}", "h").error().code, ErrorCode::Corrupt);
  EXPECT_EQ(parse_head(R"({"kind":"tinyarms intent head","version":2})", "h").error().code,
            ErrorCode::Unsupported);
  const std::string short_weights =
      R"({"kind":"tinyarms intent head","version":1,"encoder":"e","dimensions":2,"examples":1,)"
      R"("temperature":1,"classes":[{"name":"a","intercept":0,"weights":[1]},)"
      R"({"name":"b","intercept":0,"weights":[1,2]}]})";
  EXPECT_EQ(parse_head(short_weights, "h").error().code, ErrorCode::Corrupt);
}

TEST(IntentEvaluationTest, CountsConfusionsAndUnknownClasses) {
  Head head{.encoder = "",
            .classes = {"code", "general"},
            .dimensions = 2,
            .weights = {4, 0, 0, 4},
            .intercepts = {0, 0},
            .temperature = 1,
            .examples = 0};
  const std::vector<Example> examples = {
      {"1", "code"}, {"2", "code"}, {"3", "general"}, {"4", "poetry"}};
  const std::vector<std::vector<float>> vectors = {{1, 0}, {0, 1}, {0, 1}, {0, 1}};
  const Evaluation result = evaluate(head, examples, vectors);
  EXPECT_EQ(result.right, 2U);
  EXPECT_EQ(result.counts[0][1], 1U);
  EXPECT_EQ(result.classes.back(), "poetry");
  EXPECT_EQ(result.recall(2), 0);
  size_t both = 0;
  EXPECT_NEAR(result.apart("code", "general", both), 2.0 / 3, 1e-9);
  EXPECT_EQ(both, 3U);
  EXPECT_TRUE(std::isnan(result.apart("code", "none", both)));
}

}  // namespace
}  // namespace tinyarms::intent
