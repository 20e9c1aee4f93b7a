// Tools, formats and token probabilities over the wire.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "remote/chat_client.h"
#include "remote/chat_wire.h"

namespace tinyarms::remote {
namespace {

using Json = nlohmann::json;

Json body(const ChatOptions& options, const std::vector<ChatMessage>& messages = {{"user", "Hi"}}) {
  return Json::parse(request_body({.model = "m"}, messages, options));
}

TEST(ChatTools, AreAskedForInTheApisOwnWords) {
  ChatOptions options;
  EXPECT_FALSE(body(options).contains("tools"));
  EXPECT_FALSE(body(options).contains("response_format"));
  options.tools = {{"f", "does f", R"({"type":"object"})"}, {"g", "", "no json"}};
  options.tool_choice = "required";
  Json json = body(options);
  EXPECT_EQ(json["tools"][0]["function"]["name"], "f");
  EXPECT_EQ(json["tools"][0]["function"]["parameters"]["type"], "object");
  EXPECT_TRUE(json["tools"][1]["function"]["parameters"].is_object());
  EXPECT_EQ(json["tool_choice"], "required");
  EXPECT_FALSE(json.contains("parallel_tool_calls"));
  options.tool_choice = "name:g";
  options.parallel_tool_calls = false;
  options.json_schema = R"({"type":"array"})";
  options.top_logprobs = 5;
  options.logit_bias = {{7, -100}};
  json = body(options);
  EXPECT_EQ(json["tool_choice"]["function"]["name"], "g");
  EXPECT_EQ(json["parallel_tool_calls"], false);
  EXPECT_EQ(json["response_format"]["json_schema"]["schema"]["type"], "array");
  EXPECT_EQ(json["top_logprobs"], 5);
  EXPECT_EQ(json["logit_bias"]["7"], -100);
}

TEST(ChatTools, EarlierCallsGoAlong) {
  std::vector<ChatMessage> messages = {{"user", "Hi"}, {"assistant", ""}, {"tool", "42"}};
  messages[1].tool_calls = {{"c1", "f", "{}"}};
  messages[2].tool_call_id = "c1";
  const Json json = body({}, messages);
  EXPECT_TRUE(json["messages"][1]["content"].is_null());
  EXPECT_EQ(json["messages"][1]["tool_calls"][0]["function"]["arguments"], "{}");
  EXPECT_EQ(json["messages"][2]["tool_call_id"], "c1");
}

std::string call_event(int index, const std::string& id, const std::string& name,
                       const std::string& arguments) {
  Json call = {{"index", index}, {"function", {{"arguments", arguments}}}};
  if (!id.empty()) call["id"] = id;
  if (!name.empty()) call["function"]["name"] = name;
  return Json{{"choices", {{{"delta", {{"tool_calls", {call}}}}}}}}.dump();
}

TEST(ChatTools, CallsArePutTogetherFromTheirPieces) {
  std::vector<ToolDelta> told;
  OpenAiReader reader({.on_tool = [&](const ToolDelta& delta) { told.push_back(delta); }});
  for (const std::string& data :
       {call_event(0, "c1", "f", ""), call_event(0, "", "", R"({"a")"),
        call_event(0, "c1", "f", ": 1}"), call_event(1, "c2", "g", "{}"),
        call_event(7, "c3", "h", "{}"),           // leaves a gap
        call_event(2, "c4", "", "{}"),            // has no name
        std::string(R"({"choices":[{"delta":{"tool_calls":"x"}}]})"),
        std::string(R"({"choices":[{"delta":{"tool_calls":[7,null]}}]})"),
        std::string(R"({"choices":[{"delta":{},"finish_reason":"tool_calls"}]})")}) {
    ASSERT_TRUE(reader.take_event(data)) << data;
  }
  const auto& calls = reader.reply().tool_calls;
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].arguments, R"({"a": 1})");
  EXPECT_EQ(calls[1].name, "g");
  ASSERT_EQ(told.size(), 4u);
  EXPECT_EQ(told[0].id, "c1");
  EXPECT_EQ(told[2].id, "");  // said once
  EXPECT_TRUE(reader.started());
}

TEST(ChatTools, AWholeReplyMayBeCallsAlone) {
  OpenAiReader reader{ReplySinks{}};
  ASSERT_TRUE(reader.take_object(
      R"({"choices":[{"message":{"content":null,"tool_calls":[{"id":"c","type":"function",)"
      R"("function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls",)"
      R"("logprobs":{"content":[{"token":"a","logprob":-1,"top_logprobs":[]}]}}]})"));
  ASSERT_EQ(reader.reply().tool_calls.size(), 1u);
  EXPECT_EQ(reader.reply().tool_calls[0].name, "f");
  EXPECT_EQ(reader.reply().logprobs.at(0).token, "a");
  OpenAiReader empty{ReplySinks{}};
  EXPECT_FALSE(empty.take_object(R"({"choices":[{"message":{"content":null}}]})"));
}

}  // namespace
}  // namespace tinyarms::remote
