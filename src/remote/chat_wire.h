// The JSON of chat completions (OpenAI API reference, "Chat" and "Streaming"), both ways.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "remote/chat_client.h"

namespace tinyarms::remote {

struct WireOptions {
  std::string model;
  bool logprobs = true;  // some engines refuse a request that asks for them
};

std::string request_body(const WireOptions& wire, const std::vector<ChatMessage>& messages,
                         const ChatOptions& options);

// The engine's own words of an error reply, one line of at most 300 bytes; empty where it has none.
std::string error_words(std::string_view body);

// Puts a reply together from its chunks, or from one whole object. Ignores what it does not know.
class ReplyReader {
 public:
  explicit ReplyReader(std::function<void(std::string_view)> on_text,
                       std::function<void(const ToolDelta&)> on_tool = {})
      : on_text_(std::move(on_text)), on_tool_(std::move(on_tool)) {}

  // The data of one event; "[DONE]" ends the stream. Errors: Corrupt, Unavailable (the engine
  // reports a failure in mid-stream).
  Result<void> take_event(std::string_view data);
  // A whole chat.completion, from engines that do not stream. Errors: Corrupt.
  Result<void> take_object(std::string_view body);

  bool done() const { return done_; }
  // Whether anything of the answer came.
  bool started() const { return started_; }
  const ChatReply& reply() const { return reply_; }
  ChatReply& reply() { return reply_; }

 private:
  void take_text(const std::string& text);
  void take_tool(ToolDelta delta);

  std::function<void(std::string_view)> on_text_;
  std::function<void(const ToolDelta&)> on_tool_;
  ChatReply reply_;
  bool started_ = false;
  bool done_ = false;
};

}  // namespace tinyarms::remote
