// What is asked of a remote engine and what it answers, whichever API it speaks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tinyarms::remote {

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON, as the engine wrote it
};

struct ChatMessage {
  std::string role;
  std::string content;
  std::vector<ToolCall> tool_calls = {};  // of an assistant
  std::string tool_call_id = {};          // of a tool's result
};

struct Tool {
  std::string name;
  std::string description;
  std::string parameters;  // a JSON schema, as text
};

// What is new of a call since the delta before.
struct ToolDelta {
  size_t index = 0;
  std::string id;    // with the first delta of a call, as the name
  std::string name;
  std::string arguments;
};

struct ChatOptions {
  int tokens_max = 512;
  double temperature = 0;
  uint32_t seed = 0;
  std::vector<std::string> stop{};
  int top_logprobs = 2;  // likeliest tokens to be told of at each place; engines allow up to 20
  std::vector<Tool> tools{};
  std::string tool_choice{};  // "auto", "required", or a tool's name after "name:"; empty: unsaid
  bool parallel_tool_calls = true;
  std::string json_schema{};  // of the answer; empty: text
  std::map<int, double> logit_bias{};
  double frequency_penalty = 0;
  double presence_penalty = 0;
  double top_p = 1;
};

// One generated token as the engine reports it, where it does: natural logarithms.
struct TokenLogprob {
  double chosen = 0;
  std::optional<double> best{};    // of the likeliest token
  std::optional<double> second{};  // of the runner-up
  std::vector<std::pair<std::string, double>> top{};  // token and logprob, likeliest first
  std::string token{};
};

struct ChatReply {
  std::string text;
  std::vector<ToolCall> tool_calls{};
  std::string model;          // as the engine names itself; may be empty
  std::string finish_reason;  // "stop", "length", …; "interrupted" where `stop` was raised
  int64_t prompt_tokens = 0;  // 0 where the engine does not say
  int64_t completion_tokens = 0;
  std::vector<TokenLogprob> logprobs{};  // empty where the engine gives none
  double first_token_seconds = 0;
  double seconds = 0;
};

// Of its text and its calls, whole or not.
inline size_t written_bytes(const ChatReply& reply) {
  size_t bytes = reply.text.size();
  for (const ToolCall& call : reply.tool_calls) bytes += call.name.size() + call.arguments.size();
  return bytes;
}

}  // namespace tinyarms::remote
