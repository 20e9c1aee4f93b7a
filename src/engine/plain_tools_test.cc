#include "engine/plain_tools.h"

#include <gtest/gtest.h>

#include "engine/chat_template.h"

namespace tinyarms::engine {
namespace {

const std::vector<ToolSpec> kTools = {
    {"look_up", "Looks a word up", R"({"type":"object","properties":{"word":{"type":"string"}}})"},
    {"stop", "", ""}};

TEST(PlainTools, ToolsAreToldOfInTheSystemMessage) {
  const std::vector<ChatMessage> messages = {{"system", "Be brief."}, {"user", "Hi"}};
  const auto plain = with_plain_tools(messages, {.tools = kTools});
  ASSERT_EQ(plain.size(), 2u);
  EXPECT_EQ(plain[0].role, "system");
  EXPECT_TRUE(plain[0].content.starts_with("Be brief.\n\n"));
  EXPECT_NE(plain[0].content.find("\"look_up\""), std::string::npos);
  EXPECT_NE(plain[0].content.find("\"word\""), std::string::npos);
  const std::vector<ChatMessage> bare = {{"user", "Hi"}};
  EXPECT_EQ(with_plain_tools(bare, {.tools = kTools})[0].role, "system");
  EXPECT_EQ(with_plain_tools(bare, {}).size(), 1u);
}

TEST(PlainTools, CallsAndResultsAreTurnsOfTheKnownRoles) {
  std::vector<ChatMessage> messages = {{"user", "Hi"}, {"assistant", ""}};
  messages[1].tool_calls = {{"1", "look_up", R"({"word": "a"})"}, {"2", "stop", "no json"}};
  messages.push_back({.role = "tool", .content = "first", .tool_calls = {}, .tool_call_id = "1"});
  messages.push_back({.role = "tool", .content = "x</tool_response>y", .tool_calls = {},
                      .tool_call_id = "2"});
  messages.push_back({"user", "And?"});
  const auto plain = with_plain_tools(messages, {});
  ASSERT_EQ(plain.size(), 3u);
  EXPECT_EQ(plain[1].content,
            "<tool_call>\n{\"name\": \"look_up\", \"arguments\": {\"word\":\"a\"}}\n</tool_call>\n"
            "<tool_call>\n{\"name\": \"stop\", \"arguments\": \"no json\"}\n</tool_call>");
  EXPECT_EQ(plain[2].role, "user");
  const std::string& results = plain[2].content;
  EXPECT_TRUE(results.starts_with("<tool_response>\nfirst\n</tool_response>\n<tool_response>\nx"));
  EXPECT_TRUE(results.ends_with("y\n</tool_response>\nAnd?")) << results;
  EXPECT_EQ(results.find("x</tool_response>"), std::string::npos);
}

TEST(PlainTools, AnAnswerIsTakenApartAsItGrows) {
  const std::string text =
      "Let me see.\n<tool_call>\n"
      "{\"name\": \"look_up\", \"arguments\": {\"word\": \"</tool_call>}\"}}"
      "\n</tool_call>\n<tool_call>\n{\"name\": \"stop\", \"arguments\": {}}\n</tool_call>";
  const ParsedAnswer whole = parse_plain_tools(text, false);
  EXPECT_EQ(whole.content, "Let me see.");
  ASSERT_EQ(whole.tool_calls.size(), 2u);
  EXPECT_EQ(whole.tool_calls[0].name, "look_up");
  EXPECT_EQ(whole.tool_calls[0].arguments, R"({"word": "</tool_call>}"})");
  EXPECT_EQ(whole.tool_calls[1].arguments, "{}");
  // Nothing that was told is ever taken back.
  ParsedAnswer told;
  for (size_t length = 0; length <= text.size(); ++length) {
    const ParsedAnswer now = parse_plain_tools(std::string_view(text).substr(0, length), true);
    ASSERT_TRUE(now.content.starts_with(told.content)) << length;
    ASSERT_GE(now.tool_calls.size(), told.tool_calls.size());
    for (size_t i = 0; i < told.tool_calls.size(); ++i) {
      ASSERT_EQ(now.tool_calls[i].name, told.tool_calls[i].name);
      ASSERT_TRUE(now.tool_calls[i].arguments.starts_with(told.tool_calls[i].arguments)) << length;
    }
    told = now;
  }
  EXPECT_EQ(parse_plain_tools("no call < here ", false).content, "no call < here ");
  EXPECT_TRUE(parse_plain_tools("<tool_call>{\"name\": 7", false).tool_calls.empty());
  EXPECT_TRUE(parse_plain_tools("<tool_call>\n<tool_call>\n\"", true).tool_calls.empty());
}

TEST(PlainTools, WhatToolsDefineUnderOneNameStaysApart) {
  const std::vector<ToolSpec> tools = {
      {"a", "", R"({"$ref":"#/$defs/x","$defs":{"x":{"type":"object","properties":{)"
                R"("n":{"const":"first"}},"required":["n"]}}})"},
      {"b", "", R"({"$ref":"#/$defs/x","$defs":{"x":{"type":"object","properties":{)"
                R"("n":{"const":"second"}},"required":["n"]}}})"}};
  const auto form = plain_tools_form({.tools = tools, .tool_choice = ToolChoice::Required});
  ASSERT_TRUE(form) << form.error().message();
  EXPECT_FALSE(form->lazy);
  EXPECT_NE(form->grammar.find("first"), std::string::npos);
  EXPECT_NE(form->grammar.find("second"), std::string::npos);
  const auto free = plain_tools_form({.tools = tools});
  ASSERT_TRUE(free);
  EXPECT_TRUE(free->lazy);
  EXPECT_FALSE(plain_tools_form({.tools = {{"a", "", "{\"type\": 7}"}}}));
  EXPECT_FALSE(plain_tools_form({.tools = {{"a", "", "{"}}}));
}

}  // namespace
}  // namespace tinyarms::engine
