#include "remote/http_connections.h"

#include <gtest/gtest.h>

#include "remote/chat_client.h"
#include "remote/scripted_server.h"

namespace tinyarms::remote {
namespace {

using testing::event;
using testing::ScriptedServer;

std::string answer(const std::string& text) {
  return event(R"({"choices":[{"delta":{"content":")" + text + R"("},"finish_reason":"stop"}]})") +
         event("[DONE]");
}

// A reply that says how long it is, so that the connection can go on.
std::string whole(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// One that never says that it is over.
std::string endless(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " +
         std::to_string(body.size() + 100) + "\r\n\r\n" + body;
}

std::string ask(const ScriptedServer& server, HttpConnections& connections) {
  auto client = ChatClient::create({.url = server.url(), .model = "m", .key = {}},
                                   {.tries = 1, .connections = &connections});
  EXPECT_TRUE(client) << client.error().message();
  const StopFlag stop;
  auto reply = client->complete({{"user", "Hi"}}, {}, stop, {});
  return reply ? reply->text : reply.error().message();
}

TEST(HttpConnections, NextCallOpensNoConnection) {
  const ScriptedServer server(
      {"<keep>" + whole(answer("one")), "<keep>" + whole(answer("two")), whole(answer("three"))});
  HttpConnections connections;
  EXPECT_EQ(ask(server, connections), "one");
  EXPECT_EQ(ask(server, connections), "two");
  EXPECT_EQ(ask(server, connections), "three");
  EXPECT_EQ(server.connections(), 1U);
}

TEST(HttpConnections, ClosedOneIsReplaced) {
  const ScriptedServer server({whole(answer("one")), whole(answer("two"))});
  HttpConnections connections;
  EXPECT_EQ(ask(server, connections), "one");
  EXPECT_EQ(ask(server, connections), "two");
  EXPECT_EQ(server.connections(), 2U);
}

// Its content was complete: the answer is not held up, and the connection not used again.
TEST(HttpConnections, ReplyWithoutEndIsLeft) {
  const ScriptedServer server(
      {"<keep>" + endless(answer("one")), "to nobody", whole(answer("two"))});
  HttpConnections connections;
  EXPECT_EQ(ask(server, connections), "one");
  EXPECT_EQ(ask(server, connections), "two");
  EXPECT_EQ(server.connections(), 2U);
}

// Bytes that nobody asked for are no answer to the next question.
TEST(HttpConnections, PlantedReplyIsNotRead) {
  const ScriptedServer server({"<keep>" + whole(answer("one")) + whole(answer("planted")),
                               "to nobody", whole(answer("two"))});
  HttpConnections connections;
  EXPECT_EQ(ask(server, connections), "one");
  EXPECT_EQ(ask(server, connections), "two");
}

}  // namespace
}  // namespace tinyarms::remote
