#include "tiers/specialists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tinyarms::tiers {
namespace {

ModelRef named_model(const std::string& name) {
  ModelRef ref;
  ref.name = name;
  ref.path = name;
  return ref;
}

Specialist specialist(const std::string& kind) {
  return {.kind = kind, .model = named_model(kind + " model"), .setting = "l2.specialists." + kind};
}

cascade::Request asked(const std::string& text) {
  cascade::Request request;
  request.messages.push_back({cascade::Role::User, text});
  return request;
}

cascade::Trace told(const std::string& intent, double probability) {
  cascade::Trace trace(1);
  trace[0].attempt.evidence.set(cascade::signal::kIntent, intent);
  trace[0].attempt.evidence.set(cascade::signal::kIntentProbability, probability);
  return trace;
}

const Specialists& all() {
  static const Specialists kAll(named_model("usual"),
                                {specialist("maths"), specialist("tools"), specialist("billing"),
                                 specialist("language.de"), specialist("multilingual")},
                                0.7);
  return kAll;
}

TEST(SpecialistsTest, TheIntentChoosesWhereItIsCertain) {
  const ModelChoice sure = all().choose(asked("2 + 2"), told("maths", 0.97));
  EXPECT_EQ(sure.model.name, "maths model");
  EXPECT_EQ(sure.route.name, "maths");
  EXPECT_EQ(sure.route.why, "maths 0.97 → maths model");
  const ModelChoice unsure = all().choose(asked("2 + 2"), told("maths", 0.69));
  EXPECT_EQ(unsure.model.name, "usual");
  EXPECT_EQ(unsure.route.name, "");
  EXPECT_EQ(unsure.route.why, "maths 0.69 is below 0.70 → usual");
  EXPECT_EQ(all().choose(asked("2 + 2"), told("maths", 0.7)).route.name, "maths");
}

TEST(SpecialistsTest, WithoutOneForIt) {
  const ModelChoice none = all().choose(asked("hi"), told("code", 0.99));
  EXPECT_EQ(none.model.name, "usual");
  EXPECT_EQ(none.route.why, "code has no specialist → usual");
  EXPECT_EQ(all().choose(asked("hi"), {}).model.name, "usual");  // L1 is off: nothing is known
  const Specialists nobody(named_model("usual"), {}, 0.5);
  EXPECT_EQ(nobody.choose(asked("2 + 2"), told("maths", 1)).route.why, "");
}

TEST(SpecialistsTest, WhatTheUserSaysOfTheKindIsCertain) {
  cascade::Request request = asked("how much is it?");
  request.group = "billing";
  EXPECT_EQ(all().choose(request, told("maths", 0.99)).route.name, "billing");
}

TEST(SpecialistsTest, TheLanguageComesFirst) {
  const cascade::Trace maths = told("maths", 0.99);
  EXPECT_EQ(all().choose(asked("Wie viel ist die Summe der Zahlen?"), maths).route.why,
            "language de → language.de model");
  EXPECT_EQ(all().choose(asked("¿Cuál es la suma de los números?"), maths).route.name,
            "multilingual");
  EXPECT_EQ(all().choose(asked("What is the sum of the numbers?"), maths).route.name, "maths");
}

TEST(SpecialistsTest, EnglishIsForeignToNobody) {
  const Specialists foreign(named_model("usual"), {specialist("multilingual")}, 0.5);
  EXPECT_EQ(foreign.choose(asked("What is the sum of the numbers?"), {}).route.name, "");
  const Specialists english(named_model("usual"), {specialist("language.en")}, 0.5);
  EXPECT_EQ(english.choose(asked("What is the sum of the numbers?"), {}).route.name, "language.en");
}

TEST(SpecialistsTest, ToolsThatAreOfferedAreAnIntent) {
  cascade::Request request = asked("What is the weather in Berlin?");
  request.order.tools.push_back({"weather", "", ""});
  EXPECT_EQ(all().choose(request, told("maths", 0.99)).route.why,
            "tools are offered → tools model");
  request.order.tool_choice = cascade::ToolChoice::None;
  EXPECT_EQ(all().choose(request, told("maths", 0.99)).route.name, "maths");
}

TEST(SpecialistsTest, ABareTextAsksNothing) {
  cascade::Request request;
  request.prefix = "die und das ist ein";
  EXPECT_EQ(all().choose(request, told("maths", 1)).model.name, "usual");
}

TEST(SpecialistsTest, AMissingFileLeavesTheQuestionToTheUsualModel) {
  Specialist gone = specialist("maths");
  gone.model.problem = Error{ErrorCode::NotFound, "is not installed", "maths model", "pull it"};
  const Specialists some(named_model("usual"), {gone}, 0.5);
  const ModelChoice choice = some.choose(asked("2 + 2"), told("maths", 0.9));
  EXPECT_EQ(choice.model.name, "usual");
  EXPECT_EQ(choice.route.name, "");  // so that its threshold does not hold either
  EXPECT_THAT(choice.notice, ::testing::HasSubstr("l2.specialists.maths"));
  EXPECT_THAT(choice.notice, ::testing::HasSubstr("is not installed"));
  EXPECT_THAT(choice.notice, ::testing::HasSubstr("usual answered instead"));
}

TEST(SpecialistsTest, TheyAreNamed) {
  const Specialists some(named_model("A"), {specialist("maths")}, 0.5);
  EXPECT_EQ(some.describe(), "A, maths model for maths");
}

}  // namespace
}  // namespace tinyarms::tiers
