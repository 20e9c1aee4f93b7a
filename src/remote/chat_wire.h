// The JSON of chat completions (OpenAI API reference, "Chat" and "Streaming"), both ways.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "remote/chat_protocol.h"

namespace tinyarms::remote {

std::string request_body(const WireOptions& wire, const std::vector<ChatMessage>& messages,
                         const ChatOptions& options);

// "[DONE]" ends the stream.
class OpenAiReader final : public ReplyReader {
 public:
  using ReplyReader::ReplyReader;
  Result<void> take_event(std::string_view data) override;
  Result<void> take_object(std::string_view body) override;
};

}  // namespace tinyarms::remote
