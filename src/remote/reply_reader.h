// Puts a reply together from its events, or from one whole object. Here is what all APIs share;
// their events are in chat_wire.h and anthropic_wire.h. Ignores what it does not know.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "remote/chat_types.h"

namespace tinyarms::remote {

struct ReplySinks {  // either may be empty
  std::function<void(std::string_view)> on_text{};
  std::function<void(const ToolDelta&)> on_tool{};
};

class ReplyReader {
 public:
  explicit ReplyReader(ReplySinks sinks) : sinks_(std::move(sinks)) {}
  virtual ~ReplyReader() = default;
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  // The data of one event. Errors: Corrupt; Unavailable (the engine reports a failure in
  // mid-stream; its own words are in engine_words() alone).
  virtual Result<void> take_event(std::string_view data) = 0;
  // A whole reply, from engines that do not stream. Errors: Corrupt.
  virtual Result<void> take_object(std::string_view body) = 0;

  bool done() const { return done_; }
  // Whether anything of the answer came.
  bool started() const { return started_; }
  const ChatReply& reply() const { return reply_; }
  ChatReply& reply() { return reply_; }
  // What the engine said of its failure in mid-stream; empty where it said nothing.
  const std::string& engine_words() const { return engine_words_; }

 protected:
  void take_text(const std::string& text);
  // Calls come one after the other: what would leave a gap is no call.
  void take_tool(ToolDelta delta);
  Error broken_off(std::string_view data);
  static Error not_a_reply();

  ChatReply reply_;
  bool started_ = false;
  bool done_ = false;

 private:
  ReplySinks sinks_;
  std::string engine_words_;
};

// The engine's own words of an error reply, one line of at most 300 bytes; empty where it has none.
std::string error_words(std::string_view body);

}  // namespace tinyarms::remote
