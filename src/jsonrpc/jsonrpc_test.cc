#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "jsonrpc/framing.h"
#include "jsonrpc/message.h"

namespace tinyarms::jsonrpc {
namespace {

int code_of(std::string_view text) {
  const Parsed parsed = parse(text);
  return parsed.message ? 0 : parsed.failure.code;
}

TEST(JsonRpcMessage, TellsItsKinds) {
  const Parsed request = parse(R"({"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":1}})");
  ASSERT_TRUE(request.message);
  EXPECT_EQ(request.message->kind, Message::Kind::Request);
  EXPECT_EQ(request.message->id, 7);
  EXPECT_EQ(request.message->params["a"], 1);
  const Parsed notification = parse(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  ASSERT_TRUE(notification.message);
  EXPECT_EQ(notification.message->kind, Message::Kind::Notification);
  EXPECT_TRUE(notification.message->params.is_object());
  const Parsed response = parse(R"({"jsonrpc":"2.0","id":"a","result":{}})");
  ASSERT_TRUE(response.message);
  EXPECT_EQ(response.message->kind, Message::Kind::Response);
}

TEST(JsonRpcMessage, RefusesWhatIsNone) {
  EXPECT_EQ(code_of(""), kParseError);
  EXPECT_EQ(code_of("{"), kParseError);
  EXPECT_EQ(code_of("{} {}"), kParseError);
  EXPECT_EQ(code_of("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}"), kParseError);
  EXPECT_EQ(code_of("[]"), kInvalidRequest);
  EXPECT_EQ(code_of("7"), kInvalidRequest);
  EXPECT_EQ(code_of(R"({"id":1,"method":"ping"})"), kInvalidRequest);
  EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":1})"), kInvalidRequest);
  EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})"), kInvalidRequest);
  EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":null,"method":"ping"})"), kInvalidRequest);
  EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":{},"method":"ping"})"), kInvalidRequest);
  EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":1,"method":7})"), kInvalidRequest);
  EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":1,"method":"ping","params":3})"), kInvalidRequest);
}

TEST(JsonRpcMessage, TellsAFailureToTheRequestThatItCouldRead) {
  EXPECT_EQ(parse(R"({"jsonrpc":"1.0","id":9,"method":"ping"})").id, 9);
  EXPECT_TRUE(parse("{").id.is_null());
}

TEST(JsonRpcMessage, LimitsSizeAndDepth) {
  const std::string deep = R"({"jsonrpc":"2.0","id":1,"method":"a","params":)" +
                           std::string(100, '[') + std::string(100, ']') + "}";
  EXPECT_EQ(code_of(deep), kInvalidRequest);
  const std::string bombs(1 << 20, '[');
  EXPECT_EQ(code_of(bombs), kInvalidRequest);
  EXPECT_EQ(parse(deep, {.bytes_max = 10, .depth_max = 1000}).failure.code, kInvalidRequest);
}

TEST(JsonRpcMessage, WritesOneLineOfValidText) {
  const std::string text = result_text(1, {{"a", "line\nbreak \xff"}});
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_FALSE(Json::parse(text, nullptr, false).is_discarded());
  EXPECT_EQ(failure_text(nullptr, {kParseError, "no", nullptr}),
            R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}})");
}

std::vector<std::string> frames_of(Framing& framing, std::string_view bytes, size_t piece) {
  std::vector<std::string> frames;
  const auto drain = [&] {
    while (auto frame = framing.next()) {
      frames.push_back(frame->kind == Frame::Kind::Message    ? frame->text
                       : frame->kind == Frame::Kind::TooLarge ? "<too large>"
                                                              : "<malformed>");
    }
  };
  for (size_t at = 0; at < bytes.size(); at += piece) {
    framing.feed(bytes.substr(at, piece));
    drain();
  }
  framing.close();
  drain();
  return frames;
}

TEST(JsonRpcFraming, LinesInPiecesOfAnySize) {
  for (size_t piece = 1; piece < 24; ++piece) {
    LineFraming framing(8);
    EXPECT_EQ(frames_of(framing, "one\r\n\n  \ntwo\n0123456789abcdef\nthree", piece),
              (std::vector<std::string>{"one", "two", "<too large>", "three"}))
        << piece;
  }
}

TEST(JsonRpcFraming, HeadsInPiecesOfAnySize) {
  const std::string stream = HeaderFraming::wrap("one") +
                             "Content-Type: x\r\ncontent-length:  3 \r\n\r\ntwo" +
                             HeaderFraming::wrap("0123456789") + HeaderFraming::wrap("") +
                             "nonsense\r\n\r\n" + HeaderFraming::wrap("lost");
  for (size_t piece = 1; piece < 40; ++piece) {
    HeaderFraming framing(8);
    EXPECT_EQ(frames_of(framing, stream, piece),
              (std::vector<std::string>{"one", "two", "<too large>", "", "<malformed>"}))
        << piece;
  }
}

TEST(JsonRpcFraming, RefusesHeadsThatAreNone) {
  for (const std::string head :
       {"Content-Length: -1\r\n\r\n", "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "Content-Length: 99999999999999999999999\r\n\r\n", "A: b\r\n\r\n", "\r\n\r\n"}) {
    HeaderFraming framing(8);
    EXPECT_EQ(frames_of(framing, head, 64), std::vector<std::string>{"<malformed>"}) << head;
  }
  HeaderFraming framing(8);
  EXPECT_EQ(frames_of(framing, std::string(10000, 'a'), 100),
            std::vector<std::string>{"<malformed>"});
}

}  // namespace
}  // namespace tinyarms::jsonrpc
