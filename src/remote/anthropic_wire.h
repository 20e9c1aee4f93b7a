// The JSON of Anthropic's Messages API (API reference, "Messages" and "Streaming Messages", version
// 2023-06-01), both ways, from the client's side. src/anthropic is the server's: it reads what is
// written here, and writes what is read here.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "remote/chat_protocol.h"

namespace tinyarms::remote {

// That API has neither seeds, penalties, biases nor token probabilities: they are left out. An
// answer by schema is asked for as the input of the one tool that must be called.
std::string messages_body(const WireOptions& wire, const std::vector<ChatMessage>& messages,
                          const ChatOptions& options);

// Whether the answer comes as that tool's input: a schema of an object, and no tools beside it.
bool answers_by_tool(const ChatOptions& options);

// "message_stop" ends the stream. Events out of their order (a piece of a block that was never
// begun, a block before the message) are Corrupt; unknown events and blocks are passed over.
class AnthropicReader final : public ReplyReader {
 public:
  AnthropicReader(ReplySinks sinks, bool by_tool)
      : ReplyReader(std::move(sinks)), by_tool_(by_tool) {}

  Result<void> take_event(std::string_view data) override;
  Result<void> take_object(std::string_view body) override;

 private:
  struct Event;                   // one event's JSON
  enum class Kind { Text, Call, Answer, Other };
  struct Block {
    Kind kind = Kind::Other;
    size_t call = 0;              // of Kind::Call: which of the reply's
    bool empty = true;            // no input came yet
  };

  Result<void> begin_block(const Event& event);
  Result<void> go_on(const Event& event);
  Result<void> end_block(const Event& event);
  Block open_block(const Event& block);
  void add_input(Block& block, const std::string& piece);
  void finish(const std::string& reason);

  bool by_tool_;
  bool begun_ = false;
  std::map<int64_t, Block> blocks_;  // by the index that the API gives them
};

}  // namespace tinyarms::remote
