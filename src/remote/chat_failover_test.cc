// Several engines behind one client: who is asked, who is asked next, and what is never repeated.
#include <gtest/gtest.h>

#include "remote/chat_client.h"
#include "remote/scripted_server.h"

namespace tinyarms::remote {
namespace {

using testing::event;
using testing::http_reply;
using testing::ScriptedServer;

const std::string kSse = "text/event-stream";

std::string piece(const std::string& text) {
  return event(R"({"choices":[{"delta":{"content":")" + text + R"("}}]})");
}
std::string whole(const std::string& text) {
  return http_reply(200, kSse,
                    piece(text) + event(R"({"choices":[{"delta":{},"finish_reason":"stop"}]})") +
                        event("[DONE]"));
}
std::string refusal(int status, const std::string& words, const std::string& headers = "") {
  return http_reply(status, "application/json", R"({"error":{"message":")" + words + R"("}})",
                    headers);
}
constexpr const char* kDead = "http://127.0.0.1:1/v1";  // nobody listens there by chance

struct Outcome {
  Result<ChatReply> reply;
  ChatRoute route;
  std::string streamed;
};

struct Asking {
  bool shown = true;
  bool quotes = true;
  double seconds_max = 1e9;
  Backoff backoff{.first_seconds = 0.01};
};

Outcome ask_pool(EndpointPool& pool, const Asking& asking = {}) {
  auto client = ChatClient::create({.url = "", .model = "m"},
                                   {.backoff = asking.backoff, .pool = &pool});
  EXPECT_TRUE(client) << client.error().message();
  Outcome outcome{.reply = Error{}, .route = {}, .streamed = ""};
  const StopFlag stop;
  outcome.reply =
      client->complete({.messages = {{"user", "Hi"}},
                        .options = {},
                        .stop = stop,
                        .on_text = [&](std::string_view text) { outcome.streamed += text; },
                        .shown = asking.shown,
                        .quotes = asking.quotes,
                        .seconds_max = asking.seconds_max},
                       &outcome.route);
  return outcome;
}

const SystemClock kClock;

TEST(ChatFailover, TheNextOneIsAskedWhereOneIsDown) {
  ScriptedServer alive({whole("ok")});
  EndpointPool pool({kDead, alive.url()}, kClock);
  const Outcome outcome = ask_pool(pool);
  ASSERT_TRUE(outcome.reply) << outcome.reply.error().message();
  EXPECT_EQ(outcome.reply->text, "ok");
  EXPECT_EQ(outcome.route.answered, place_of(alive.url()));
  EXPECT_EQ(outcome.route.tries, 2);
  ASSERT_EQ(outcome.route.passed.size(), 1u);
  EXPECT_EQ(outcome.route.passed[0].place, pool.place(0));
  EXPECT_FALSE(outcome.route.passed[0].why.empty());
}

TEST(ChatFailover, EveryKindOfFailureFailsOver) {
  for (const std::string& reply :
       {refusal(500, "x"), refusal(429, "x"), refusal(401, "x"), refusal(404, "x"),
        http_reply(200, "text/html", "<html>"), http_reply(200, kSse, event("no json")),
        http_reply(200, kSse, ""), std::string("garbage\r\n\r\n"), std::string()}) {
    ScriptedServer broken({reply});
    ScriptedServer alive({whole("ok")});
    EndpointPool pool({broken.url(), alive.url()}, kClock);
    const Outcome outcome = ask_pool(pool);
    ASSERT_TRUE(outcome.reply) << reply << outcome.reply.error().message();
    EXPECT_EQ(outcome.reply->text, "ok");
  }
}

TEST(ChatFailover, ARequestAtFaultIsAskedNowhereElse) {
  ScriptedServer first({refusal(400, "no"), refusal(400, "no")});  // with and without logprobs
  ScriptedServer second({whole("never")});
  EndpointPool pool({first.url(), second.url()}, kClock);
  const Outcome outcome = ask_pool(pool);
  ASSERT_FALSE(outcome.reply);
  EXPECT_EQ(outcome.reply.error().code, ErrorCode::InvalidArgument);
  EXPECT_TRUE(second.requests().empty());
}

TEST(ChatFailover, WhatWasShownIsNeverBegunAnew) {
  ScriptedServer dying({http_reply(200, kSse, piece("Hel"))});
  ScriptedServer alive({whole("Hello")});
  EndpointPool pool({dying.url(), alive.url()}, kClock);
  const Outcome outcome = ask_pool(pool);
  ASSERT_FALSE(outcome.reply);
  EXPECT_EQ(outcome.reply.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(outcome.streamed, "Hel");
  EXPECT_TRUE(alive.requests().empty());
}

TEST(ChatFailover, WhatNobodySawIs) {
  ScriptedServer dying({http_reply(200, kSse, piece("Hel"))});
  ScriptedServer alive({whole("Hello")});
  EndpointPool pool({dying.url(), alive.url()}, kClock);
  const Outcome outcome = ask_pool(pool, {.shown = false});
  ASSERT_TRUE(outcome.reply) << outcome.reply.error().message();
  EXPECT_EQ(outcome.reply->text, "Hello");
  EXPECT_EQ(outcome.route.lost, 1);
  EXPECT_EQ(outcome.route.lost_bytes, 3u);
}

TEST(ChatFailover, TriesEndByNumberAndSayWhatEachFailedOf) {
  ScriptedServer first({refusal(503, "a"), refusal(503, "a"), refusal(503, "a")});
  ScriptedServer second({refusal(500, "b"), refusal(500, "b"), refusal(500, "b")});
  EndpointPool pool({first.url(), second.url()}, kClock);
  const Outcome outcome = ask_pool(pool);
  ASSERT_FALSE(outcome.reply);
  EXPECT_EQ(outcome.route.tries, 4);
  EXPECT_EQ(outcome.reply.error().code, ErrorCode::Unavailable);
  EXPECT_NE(outcome.reply.error().what.find("HTTP 503"), std::string::npos);
  EXPECT_NE(outcome.reply.error().what.find("HTTP 500"), std::string::npos);
}

TEST(ChatFailover, NoTryBeginsAfterTheDeadline) {
  ScriptedServer only({refusal(503, "a"), whole("late")});
  EndpointPool pool({only.url()}, kClock);
  const Outcome outcome =
      ask_pool(pool, {.seconds_max = 0, .backoff = {.first_seconds = 1, .max_seconds = 1}});
  ASSERT_FALSE(outcome.reply);
  EXPECT_EQ(only.requests().size(), 1u);
}

TEST(ChatFailover, RetryAfterIsKeptToByAllQuestions) {
  ScriptedServer busy({refusal(429, "x", "Retry-After: 30\r\n")});
  ScriptedServer alive({whole("one"), whole("two")});
  EndpointPool pool({busy.url(), alive.url()}, kClock);
  EXPECT_EQ(ask_pool(pool).reply->text, "one");
  const Outcome next = ask_pool(pool);
  EXPECT_EQ(next.reply->text, "two");
  EXPECT_EQ(busy.requests().size(), 1u);
  ASSERT_EQ(next.route.passed.size(), 1u);
  EXPECT_NE(next.route.passed[0].why.find("left alone"), std::string::npos);
}

TEST(ChatFailover, ALongRetryAfterOfTheOnlyOneIsTheUsersToDecide) {
  ScriptedServer busy({refusal(429, "x", "Retry-After: 3000\r\n")});
  EndpointPool pool({busy.url()}, kClock);
  EXPECT_FALSE(ask_pool(pool).reply);
  const Outcome next = ask_pool(pool);
  ASSERT_FALSE(next.reply);
  EXPECT_EQ(next.reply.error().code, ErrorCode::Unavailable);
  EXPECT_NE(next.reply.error().message().find("left alone"), std::string::npos);
  EXPECT_EQ(busy.requests().size(), 1u);
}

TEST(ChatFailover, AnOpenCircuitCostsNoCall) {
  EndpointPool pool({kDead}, kClock, {.breaker = {.failures_to_open = 3, .open_seconds = 60}});
  EXPECT_EQ(ask_pool(pool).route.tries, 3);
  const Outcome next = ask_pool(pool);
  ASSERT_FALSE(next.reply);
  EXPECT_EQ(next.route.tries, 0);
  EXPECT_NE(next.reply.error().message().find("circuit open"), std::string::npos);
}

TEST(ChatFailover, AnotherTenantsErrorHoldsNoWordOfTheEngine) {
  const std::string secret = "prompt of tenant A";
  for (const std::string& reply :
       {refusal(500, secret), refusal(404, secret),
        http_reply(200, kSse, event(R"({"error":{"message":")" + secret + R"("}})"))}) {
    ScriptedServer first({reply, reply, reply, reply});
    ScriptedServer second({reply, reply, reply, reply});
    EndpointPool pool({first.url(), second.url()}, kClock);
    const Outcome outcome = ask_pool(pool, {.quotes = false});
    ASSERT_FALSE(outcome.reply);
    EXPECT_EQ(outcome.reply.error().message().find("tenant"), std::string::npos);
    for (const PassedOver& one : outcome.route.passed) {
      EXPECT_EQ(one.why.find("tenant"), std::string::npos);
    }
  }
  ScriptedServer own({refusal(404, secret)});
  EndpointPool pool({own.url()}, kClock);
  EXPECT_NE(ask_pool(pool).reply.error().what.find(secret), std::string::npos);
}

}  // namespace
}  // namespace tinyarms::remote
