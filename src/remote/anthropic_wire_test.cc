// Anthropic's Messages API, against replies in the order of events that its reference shows.
#include "remote/anthropic_wire.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "remote/chat_client.h"
#include "remote/scripted_server.h"

namespace tinyarms::remote {
namespace {

using testing::http_reply;
using testing::ScriptedServer;
using AnthropicJson = nlohmann::json;

AnthropicJson written(const std::vector<ChatMessage>& messages, const ChatOptions& options = {}) {
  return AnthropicJson::parse(messages_body({.model = "m"}, messages, options));
}

std::string sse(const std::vector<std::string>& events) {
  std::string text;
  for (const std::string& data : events) {
    const std::string type = AnthropicJson::parse(data)["type"];
    text += "event: " + type + "\ndata: " + data + "\n\n";
  }
  return text;
}

const std::string kStart =
    R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",)"
    R"("content":[],"model":"claude-x","stop_reason":null,"stop_sequence":null,)"
    R"("usage":{"input_tokens":20,"cache_read_input_tokens":5,"output_tokens":1}}})";
const std::string kTextStart =
    R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})";
const std::string kPing = R"({"type": "ping"})";
std::string text_delta(const std::string& text) {
  return R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")" + text +
         R"("}})";
}
std::string input_delta(int index, const std::string& piece) {
  return AnthropicJson{{"type", "content_block_delta"},
                       {"index", index},
                       {"delta", {{"type", "input_json_delta"}, {"partial_json", piece}}}}
      .dump();
}
std::string tool_start(int index, const std::string& name) {
  return AnthropicJson{{"type", "content_block_start"},
                       {"index", index},
                       {"content_block",
                        {{"type", "tool_use"},
                         {"id", "toolu_" + std::to_string(index)},
                         {"name", name},
                         {"input", AnthropicJson::object()}}}}
      .dump();
}
std::string block_stop(int index) {
  return R"({"type":"content_block_stop","index":)" + std::to_string(index) + "}";
}
std::string message_delta(const std::string& reason) {
  return R"({"type":"message_delta","delta":{"stop_reason":")" + reason +
         R"(","stop_sequence":null},"usage":{"output_tokens":15}})";
}
const std::string kStop = R"({"type":"message_stop"})";

struct Told {
  Result<ChatReply> reply;
  std::string text;
  std::vector<ToolDelta> tools;
};

Told ask_messages(const ScriptedServer& server, const ChatOptions& options = {}, int tries = 1) {
  auto client = ChatClient::create({.url = server.url(),
                                    .model = "claude-x",
                                    .key = ApiKey("canary-key"),
                                    .api = Api::Anthropic},
                                   {.tries = tries, .backoff = {.first_seconds = 0.01}});
  EXPECT_TRUE(client) << client.error().message();
  Told told{.reply = Error{}, .text = "", .tools = {}};
  const StopFlag stop;
  told.reply = client->complete({{"user", "Hi"}}, options, stop,
                                [&](std::string_view piece) { told.text += piece; },
                                [&](const ToolDelta& delta) { told.tools.push_back(delta); });
  return told;
}

TEST(Anthropic, ReadsAStreamInTheOrderOfTheReference) {
  ScriptedServer server({http_reply(
      200, "text/event-stream; charset=utf-8",
      sse({kStart, kTextStart, kPing, text_delta("Hel"), text_delta("lo!"), block_stop(0),
           message_delta("end_turn"), kStop}))});
  const Told told = ask_messages(server);
  ASSERT_TRUE(told.reply) << told.reply.error().message();
  EXPECT_EQ(told.reply->text, "Hello!");
  EXPECT_EQ(told.text, "Hello!");
  EXPECT_EQ(told.reply->model, "claude-x");
  EXPECT_EQ(told.reply->finish_reason, "stop");
  EXPECT_EQ(told.reply->prompt_tokens, 25);
  EXPECT_EQ(told.reply->completion_tokens, 15);
  const std::string request = server.requests().at(0);
  EXPECT_EQ(request.rfind("POST /v1/messages HTTP", 0), 0u);
  EXPECT_NE(request.find("x-api-key: canary-key"), std::string::npos);
  EXPECT_NE(request.find("anthropic-version: 2023-06-01"), std::string::npos);
  EXPECT_EQ(request.find("Authorization"), std::string::npos);
}

TEST(Anthropic, ReadsToolsAsTheyAreWritten) {
  ScriptedServer server({http_reply(
      200, "text/event-stream",
      sse({kStart, kTextStart, text_delta("Let me see."), block_stop(0), tool_start(1, "weather"),
           input_delta(1, ""), input_delta(1, R"({"city": "Ro)"), input_delta(1, R"(me"})"),
           block_stop(1), tool_start(2, "now"), block_stop(2), message_delta("tool_use"),
           kStop}))});
  const Told told = ask_messages(server, {.tools = {{"weather", "", "{}"}, {"now", "", "{}"}}});
  ASSERT_TRUE(told.reply) << told.reply.error().message();
  EXPECT_EQ(told.reply->text, "Let me see.");
  EXPECT_EQ(told.reply->finish_reason, "tool_calls");
  ASSERT_EQ(told.reply->tool_calls.size(), 2u);
  EXPECT_EQ(told.reply->tool_calls[0].id, "toolu_1");
  EXPECT_EQ(told.reply->tool_calls[0].arguments, R"({"city": "Rome"})");
  EXPECT_EQ(told.reply->tool_calls[1].name, "now");
  EXPECT_EQ(told.reply->tool_calls[1].arguments, "{}");
  ASSERT_GE(told.tools.size(), 3u);
  EXPECT_EQ(told.tools[0].name, "weather");
}

TEST(Anthropic, ThinkingAndWhatIsNewIsPassedOver) {
  ScriptedServer server({http_reply(
      200, "text/event-stream",
      sse({kStart,
           R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking"}})",
           R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta",)"
           R"("thinking":"hm"}})",
           block_stop(0), R"({"type":"an_event_of_tomorrow"})",
           R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":"A"}})",
           block_stop(1), message_delta("max_tokens"), kStop}))});
  const Told told = ask_messages(server);
  ASSERT_TRUE(told.reply) << told.reply.error().message();
  EXPECT_EQ(told.reply->text, "A");
  EXPECT_EQ(told.reply->finish_reason, "length");
}

TEST(Anthropic, AnAnswerBySchemaIsTheInputOfATool) {
  const ChatOptions options{.json_schema = R"({"type":"object"})"};
  ScriptedServer server(
      {http_reply(200, "text/event-stream",
                  sse({kStart, tool_start(0, "answer"), input_delta(0, R"({"a":)"),
                       input_delta(0, "1}"), block_stop(0), message_delta("tool_use"), kStop}))});
  const Told told = ask_messages(server, options);
  ASSERT_TRUE(told.reply) << told.reply.error().message();
  EXPECT_EQ(told.reply->text, R"({"a":1})");
  EXPECT_TRUE(told.reply->tool_calls.empty());
  EXPECT_EQ(told.reply->finish_reason, "stop");
  EXPECT_EQ(written({{"user", "Hi"}}, options)["tool_choice"]["name"], "answer");
  // What is no object cannot be a tool's input: it is judged afterwards.
  EXPECT_FALSE(written({{"user", "Hi"}}, {.json_schema = R"({"type":"array"})"}).contains("tools"));
}

TEST(Anthropic, ReadsAWholeReply) {
  ScriptedServer server({http_reply(
      200, "application/json",
      R"({"type":"message","model":"claude-y","content":[{"type":"text","text":"Yes"},)"
      R"({"type":"tool_use","id":"t","name":"f","input":{"a":1}}],"stop_reason":"tool_use",)"
      R"("usage":{"input_tokens":3,"output_tokens":4}})")});
  const Told told = ask_messages(server);
  ASSERT_TRUE(told.reply) << told.reply.error().message();
  EXPECT_EQ(told.reply->text, "Yes");
  EXPECT_EQ(told.reply->tool_calls.at(0).arguments, R"({"a":1})");
  EXPECT_EQ(told.reply->completion_tokens, 4);
}

TEST(Anthropic, ItsErrorsAreOurs) {
  const auto error = [](const std::string& type, const std::string& message) {
    return R"({"type":"error","error":{"type":")" + type + R"(","message":")" + message + R"("}})";
  };
  const struct {
    std::string reply;
    ErrorCode code;
    std::string words;
  } cases[] = {
      {http_reply(529, "application/json", error("overloaded_error", "Overloaded")),
       ErrorCode::Unavailable, "Overloaded"},
      {http_reply(400, "application/json", error("invalid_request_error", "max_tokens: too many")),
       ErrorCode::InvalidArgument, "too many"},
      {http_reply(401, "application/json", error("authentication_error", "canary-key is bad")),
       ErrorCode::Config, "key"},
      {http_reply(200, "text/event-stream", sse({kStart, error("overloaded_error", "Overloaded")})),
       ErrorCode::Unavailable, "Overloaded"},
  };
  for (const auto& one : cases) {
    ScriptedServer server({one.reply});
    const Told told = ask_messages(server);
    ASSERT_FALSE(told.reply) << one.reply;
    EXPECT_EQ(told.reply.error().code, one.code) << one.reply;
    EXPECT_NE(told.reply.error().what.find(one.words), std::string::npos) << one.reply;
    EXPECT_EQ(told.reply.error().message().find("canary"), std::string::npos);
    EXPECT_EQ(server.requests().size(), 1u);
  }
}

TEST(Anthropic, EventsOutOfOrderAndGarbageAreCorrupt) {
  for (const std::vector<std::string>& events : std::vector<std::vector<std::string>>{
           {kTextStart},
           {kStart, kStart},
           {kStart, text_delta("x")},
           {kStart, kTextStart, kTextStart},
           {kStart, block_stop(7)},
           {kStop},
           {message_delta("end_turn")},
           {kStart, R"({"type":"content_block_start","index":-1,"content_block":{}})"},
           {kStart, R"({"type":"content_block_start","index":1e9,"content_block":{}})"}}) {
    ScriptedServer server({http_reply(200, "text/event-stream", sse(events))});
    const Told told = ask_messages(server);
    ASSERT_FALSE(told.reply) << events.back();
    EXPECT_EQ(told.reply.error().code, ErrorCode::Corrupt) << events.back();
  }
  for (const char* body : {"<html>", "[]", "{}", R"({"type":"message"})", "\xff"}) {
    ScriptedServer server({http_reply(200, "application/json", body)});
    EXPECT_FALSE(ask_messages(server).reply) << body;
  }
}

TEST(Anthropic, AStreamThatBreaksOffIsUnavailable) {
  ScriptedServer server(
      {http_reply(200, "text/event-stream", sse({kStart, kTextStart, text_delta("Hel")})),
       http_reply(200, "text/event-stream", sse({kStart}))});
  const Told told = ask_messages(server, {}, 3);
  ASSERT_FALSE(told.reply);
  EXPECT_EQ(told.reply.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(server.requests().size(), 1u);  // a part was shown
}

TEST(Anthropic, TurnsAlternateAndTheSystemPromptStandsApart) {
  std::vector<ChatMessage> messages = {{"system", "Be brief."}, {"system", "And kind."},
                                       {"user", "Hi"},          {"assistant", ""},
                                       {"tool", "21 C"},        {"tool", "12:00"},
                                       {"user", "Thanks"},      {"assistant", " "}};
  messages[3].tool_calls = {{"c1", "weather", R"({"city":"Rome"})"}, {"c2", "now", "no json"}};
  messages[4].tool_call_id = "c1";
  messages[5].tool_call_id = "c2";
  const AnthropicJson body = written(messages);
  EXPECT_EQ(body["system"], "Be brief.\n\nAnd kind.");
  ASSERT_EQ(body["messages"].size(), 3u);
  EXPECT_EQ(body["messages"][0]["content"][0]["text"], "Hi");
  EXPECT_EQ(body["messages"][1]["role"], "assistant");
  EXPECT_EQ(body["messages"][1]["content"][0]["input"]["city"], "Rome");
  EXPECT_TRUE(body["messages"][1]["content"][1]["input"].is_object());
  EXPECT_EQ(body["messages"][2]["content"].size(), 3u);
  EXPECT_EQ(body["messages"][2]["content"][0]["tool_use_id"], "c1");
  EXPECT_EQ(body["messages"][2]["content"][2]["text"], "Thanks");
}

TEST(Anthropic, OptionsAreItsOwn) {
  ChatOptions options{.tokens_max = 9, .temperature = 1.7, .seed = 3, .stop = {"END", "\n"}};
  options.tools = {{"f", "does f", R"({"properties":{}})"}};
  options.tool_choice = "required";
  options.parallel_tool_calls = false;
  options.frequency_penalty = 1;
  options.logit_bias = {{1, 2}};
  AnthropicJson body = written({{"user", "\xff"}}, options);
  EXPECT_EQ(body["max_tokens"], 9);
  EXPECT_EQ(body["temperature"], 1.0);
  EXPECT_EQ(body["stop_sequences"], AnthropicJson({"END"}));
  EXPECT_EQ(body["tools"][0]["input_schema"]["type"], "object");
  EXPECT_EQ(body["tool_choice"]["type"], "any");
  EXPECT_EQ(body["tool_choice"]["disable_parallel_tool_use"], true);
  for (const char* foreign : {"seed", "logprobs", "logit_bias", "frequency_penalty", "top_p"}) {
    EXPECT_FALSE(body.contains(foreign)) << foreign;
  }
  options.tool_choice = "name:f";
  EXPECT_EQ(written({{"user", "x"}}, options)["tool_choice"]["name"], "f");
}

}  // namespace
}  // namespace tinyarms::remote
