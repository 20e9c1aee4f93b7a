#include "remote/chat_client.h"

#include <gtest/gtest.h>

#include "remote/chat_wire.h"
#include "remote/scripted_server.h"

namespace tinyarms::remote {
namespace {

using testing::event;
using testing::http_reply;
using testing::ScriptedServer;

const std::string kStream = "text/event-stream";
const std::string kJson = "application/json";

std::string delta(const std::string& text) {
  return event(R"({"model":"m1","choices":[{"delta":{"content":")" + text + R"("}}]})");
}
const std::string kEnd = event(R"({"choices":[{"delta":{},"finish_reason":"stop"}]})") +
                         event(R"({"choices":[],"usage":{"prompt_tokens":5,)"
                               R"("completion_tokens":2}})") +
                         event("[DONE]");

struct Asked {
  Result<ChatReply> reply;
  std::string streamed;
};

Asked ask(const ScriptedServer& server, ChatClientOptions options = {}, const ApiKey& key = {},
          StopFlag* stop_at_text = nullptr) {
  options.backoff.first_seconds = 0.01;
  auto client =
      ChatClient::create({.url = server.url(), .model = "small", .key = key}, options);
  EXPECT_TRUE(client) << client.error().message();
  StopFlag never;
  const StopFlag& stop = stop_at_text == nullptr ? never : *stop_at_text;
  std::string streamed;
  auto reply = client->complete({{"user", "Hi \"you\""}}, {.tokens_max = 9, .seed = 3}, stop,
                                [&](std::string_view text) {
                                  streamed += text;
                                  if (stop_at_text != nullptr) stop_at_text->raise();
                                });
  return {std::move(reply), streamed};
}

TEST(ChatClient, ReadsAStream) {
  ScriptedServer server({http_reply(200, kStream, delta("Hel") + delta("lo") + kEnd)});
  const Asked asked = ask(server, {}, ApiKey("canary-key"));
  ASSERT_TRUE(asked.reply) << asked.reply.error().message();
  EXPECT_EQ(asked.reply->text, "Hello");
  EXPECT_EQ(asked.streamed, "Hello");
  EXPECT_EQ(asked.reply->model, "m1");
  EXPECT_EQ(asked.reply->finish_reason, "stop");
  EXPECT_EQ(asked.reply->prompt_tokens, 5);
  EXPECT_EQ(asked.reply->completion_tokens, 2);
  const std::string request = server.requests().at(0);
  EXPECT_NE(request.find("POST /v1/chat/completions"), std::string::npos);
  EXPECT_NE(request.find("Authorization: Bearer canary-key"), std::string::npos);
  EXPECT_NE(request.find(R"("content":"Hi \"you\"")"), std::string::npos);
}

TEST(ChatClient, ReadsAWholeReplyOfAnEngineThatDoesNotStream) {
  ScriptedServer server({http_reply(
      200, kJson,
      R"({"choices":[{"message":{"content":"Yes"},"finish_reason":"length",)"
      R"("logprobs":{"content":[{"logprob":-0.1,)"
      R"("top_logprobs":[{"logprob":-3},{"logprob":-0.1}]}]}}],)"
      R"("usage":{"completion_tokens":1}})")});
  const Asked asked = ask(server);
  ASSERT_TRUE(asked.reply) << asked.reply.error().message();
  EXPECT_EQ(asked.reply->text, "Yes");
  ASSERT_EQ(asked.reply->logprobs.size(), 1u);
  EXPECT_EQ(asked.reply->logprobs[0].best, -0.1);
  EXPECT_EQ(asked.reply->logprobs[0].second, -3);
}

TEST(ChatClient, TriesAgainWhereNothingCameYet) {
  ScriptedServer server({http_reply(503, kJson, R"({"error":{"message":"loading"}})"),
                         http_reply(429, kJson, "{}", "Retry-After: 0\r\n"),
                         http_reply(200, kStream, delta("ok") + kEnd)});
  const Asked asked = ask(server);
  ASSERT_TRUE(asked.reply) << asked.reply.error().message();
  EXPECT_EQ(asked.reply->text, "ok");
  EXPECT_EQ(server.requests().size(), 3u);
}

TEST(ChatClient, GivesUpAfterItsTries) {
  ScriptedServer server({http_reply(500, kJson, "{}"), http_reply(500, kJson, "{}"),
                         http_reply(500, kJson, R"({"error":"broken"})")});
  const Asked asked = ask(server);
  ASSERT_FALSE(asked.reply);
  EXPECT_EQ(asked.reply.error().code, ErrorCode::Unavailable);
  EXPECT_NE(asked.reply.error().what.find("broken"), std::string::npos);
}

TEST(ChatClient, AHalfAnswerIsNotAskedTwice) {
  ScriptedServer server({http_reply(200, kStream, delta("Hel")),
                         http_reply(200, kStream, delta("again") + kEnd)});
  const Asked asked = ask(server);
  ASSERT_FALSE(asked.reply);
  EXPECT_EQ(asked.reply.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(ChatClient, AsksWithoutLogprobsWhereTheyAreRefused) {
  ScriptedServer server({http_reply(400, kJson, R"({"error":{"message":"logprobs"}})"),
                         http_reply(200, kStream, delta("ok") + kEnd)});
  const Asked asked = ask(server);
  ASSERT_TRUE(asked.reply) << asked.reply.error().message();
  EXPECT_NE(server.requests()[0].find("top_logprobs"), std::string::npos);
  EXPECT_EQ(server.requests()[1].find("top_logprobs"), std::string::npos);
}

TEST(ChatClient, RefusalsSayWhatToDoAndNeverTheKey) {
  const struct {
    int status;
    ErrorCode code;
  } cases[] = {{401, ErrorCode::Config},
               {403, ErrorCode::Config},
               {404, ErrorCode::Config},
               {302, ErrorCode::Config}};
  for (const auto& one : cases) {
    ScriptedServer server({http_reply(one.status, kJson,
                                      R"({"error":{"message":"bad key canary-key"}})",
                                      "Location: http://127.0.0.1:1/\r\n")});
    const Asked asked = ask(server, {}, ApiKey("canary-key"));
    ASSERT_FALSE(asked.reply);
    EXPECT_EQ(asked.reply.error().code, one.code) << one.status;
    EXPECT_EQ(asked.reply.error().message().find("canary"), std::string::npos);
    EXPECT_FALSE(asked.reply.error().hint.empty());
  }
}

TEST(ChatClient, GarbageIsATypedError) {
  for (const std::string& body :
       {std::string("<html>"), std::string("[]"), std::string("{}"), std::string("\xff\xfe"),
        std::string(R"({"choices":[{"message":{"content":7}}]})"), std::string(100000, '[')}) {
    for (const std::string& type : {kJson, kStream}) {
      ScriptedServer server({http_reply(200, type, type == kStream ? event(body) : body)});
      const Asked asked = ask(server, {.tries = 1});
      ASSERT_FALSE(asked.reply) << body.substr(0, 20);
    }
  }
}

TEST(ChatClient, AReplyWithoutEndIsCutOff) {
  ScriptedServer server({http_reply(200, kJson, std::string(3 << 20, ' '))});
  ChatClientOptions options{.tries = 1};
  options.limits.bytes_max = 1 << 20;
  const Asked asked = ask(server, options);
  ASSERT_FALSE(asked.reply);
  EXPECT_EQ(asked.reply.error().code, ErrorCode::OverBudget);
}

TEST(ChatClient, ASilentEngineIsGivenUp) {
  ScriptedServer server({"<hang>"});
  ChatClientOptions options{.tries = 1};
  options.limits.idle_seconds = 0.2;
  const Asked asked = ask(server, options);
  ASSERT_FALSE(asked.reply);
  EXPECT_EQ(asked.reply.error().code, ErrorCode::Unavailable);
}

TEST(ChatClient, AStopKeepsWhatThereIs) {
  std::string many;
  for (int i = 0; i < 200000; ++i) many += delta("x");
  ScriptedServer server({http_reply(200, kStream, many)});
  StopFlag stop;
  const Asked asked = ask(server, {.tries = 1}, {}, &stop);
  ASSERT_TRUE(asked.reply) << asked.reply.error().message();
  EXPECT_EQ(asked.reply->finish_reason, "interrupted");
  EXPECT_FALSE(asked.reply->text.empty());
  EXPECT_LT(asked.reply->text.size(), 200000u);
}

TEST(ChatClient, NobodyThereIsUnavailable) {
  std::string url;
  {
    ScriptedServer server({});
    url = server.url();
  }
  auto client = ChatClient::create({.url = url, .model = "m"}, {.tries = 1});
  ASSERT_TRUE(client);
  const StopFlag stop;
  auto reply = client->complete({{"user", "Hi"}}, {}, stop, {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::Unavailable);
  EXPECT_FALSE(reply.error().where.empty());
}

TEST(ChatWire, TextThatIsNotUtf8IsReplacedNotThrown) {
  EXPECT_NE(request_body({.model = "m"}, {{"user", "\xff"}}, {}).find("messages"),
            std::string::npos);
}

}  // namespace
}  // namespace tinyarms::remote
