// A turn of a conversation, as chat templates take it.
#pragma once

#include <string>
#include <vector>

namespace tinyarms::engine {

struct ToolCall {
  std::string id;         // the caller's or the model's; may be empty
  std::string name;       // of the tool
  std::string arguments;  // a JSON object as text
};

struct ChatMessage {
  std::string role;     // "system", "user", "assistant"; "tool" where tools are in play
  std::string content;  // UTF-8
  std::vector<ToolCall> tool_calls = {};  // of an assistant's turn
  std::string tool_call_id = {};          // of a tool's turn: which call it answers
};

// What a model may call. Whoever made the request is not trusted: names and schemas are data.
struct ToolSpec {
  std::string name;
  std::string description;
  std::string parameters;  // a JSON schema of the arguments, as text; empty: none
};

enum class ToolChoice { Auto, None, Required };

}  // namespace tinyarms::engine
