#include "tiers/order_evidence.h"

#include <gtest/gtest.h>

namespace tinyarms::tiers {
namespace {

namespace signal = cascade::signal;
using cascade::ToolChoice;

cascade::Order tools(ToolChoice choice = ToolChoice::Auto) {
  cascade::Order order;
  order.tools = {{"look_up", "", R"({"type":"object","required":["word"]})"}, {"stop", "", ""}};
  order.tool_choice = choice;
  order.tool_named = choice == ToolChoice::Named ? "look_up" : "";
  return order;
}

// What is wrong; "fine"; or "" where nothing was to be checked.
std::string judged(const cascade::Order& order, std::vector<cascade::ToolCall> calls,
                   const std::string& answer = "") {
  cascade::Attempt attempt;
  attempt.answer = answer;
  attempt.tool_calls = std::move(calls);
  add_order_evidence(order, attempt);
  const auto keeps = attempt.evidence.flag(signal::kKeepsToOrder);
  const std::string problem = attempt.evidence.text(signal::kOrderProblem).value_or("");
  EXPECT_EQ(keeps.has_value() && !*keeps, !problem.empty());
  return keeps.has_value() && *keeps ? "fine" : problem;
}

TEST(OrderEvidence, CallsAreHeldAgainstTheTools) {
  EXPECT_EQ(judged(tools(), {{"", "look_up", R"({"word": 1})"}}), "fine");
  EXPECT_EQ(judged(tools(), {{"", "stop", "{}"}}), "fine");
  EXPECT_EQ(judged(tools(), {{"", "other", "{}"}}), "there is no tool 'other'");
  EXPECT_EQ(judged(tools(), {{"", "look_up", "{}"}}),
            "arguments of 'look_up': the value lacks \"word\"");
  EXPECT_EQ(judged(tools(), {{"", "stop", "[]"}}),
            "arguments of 'stop': the value must be of type \"object\"");
  EXPECT_EQ(judged(tools(), {{"", "stop", "{\"cut"}}),
            "arguments of 'stop': the value is not JSON");
  EXPECT_EQ(judged(tools(ToolChoice::Named), {{"", "stop", "{}"}}),
            "'look_up' was to be called, not 'stop'");
  EXPECT_EQ(judged(tools(ToolChoice::Required), {}, "Hi"), "no tool was called");
  EXPECT_EQ(judged({}, {{"", "stop", "{}"}}), "a tool was called where none may be");
  cascade::Order one = tools();
  one.parallel_tool_calls = false;
  EXPECT_EQ(judged(one, {{"", "stop", "{}"}, {"", "stop", "{}"}}), "more than one tool was called");
}

TEST(OrderEvidence, WhatWasNotAskedForIsNotMeasured) {
  EXPECT_EQ(judged({}, {}, "Hi"), "");
  EXPECT_EQ(judged(tools(), {}, "Hi"), "");
}

TEST(OrderEvidence, AnAnswerIsHeldAgainstItsSchema) {
  cascade::Order order;
  order.json_schema = R"({"type":"object","required":["a"]})";
  EXPECT_EQ(judged(order, {}, R"({"a": 1})"), "fine");
  EXPECT_EQ(judged(order, {}, "{}"), "the value lacks \"a\"");
  EXPECT_EQ(judged(order, {}, R"({"a": )"), "the value is not JSON");
}

}  // namespace
}  // namespace tinyarms::tiers
