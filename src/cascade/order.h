// What an answer is to be made of beside its text: calls of tools, JSON of a schema, the
// probabilities of its tokens. Plain data. Whoever asks is not trusted: names and schemas are
// texts, and are looked at by who uses them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tinyarms::cascade {

struct ToolCall {
  std::string id;         // the caller's or the model's; may be empty
  std::string name;       // of the tool
  std::string arguments;  // a JSON object as text, as the model wrote it
};

struct Tool {
  std::string name;
  std::string description;
  std::string parameters;  // a JSON schema of the arguments, as text
};

enum class ToolChoice {
  Auto,      // the model decides
  None,      // no tool may be called
  Required,  // at least one must be
  Named,     // this one must be
};

struct Order {
  std::vector<Tool> tools = {};
  ToolChoice tool_choice = ToolChoice::Auto;
  std::string tool_named = {};
  bool parallel_tool_calls = true;
  std::string json_schema = {};          // the answer is JSON that keeps to it; empty: text
  std::optional<int> top_logprobs = {};  // each token is reported, with so many others

  bool may_call() const { return !tools.empty() && tool_choice != ToolChoice::None; }
  bool must_call() const {
    return may_call() && (tool_choice == ToolChoice::Required || tool_choice == ToolChoice::Named);
  }
};

// What is new of a call since the delta before.
struct ToolDelta {
  size_t index = 0;       // of the call in the answer
  std::string id;         // with the first delta of a call; may be empty
  std::string name;       // with the first delta of a call
  std::string arguments;  // to be appended
};

struct TokenAlternative {
  std::string bytes;   // need not be whole UTF-8
  double logprob = 0;  // natural, of the unmodified distribution
};

struct TokenLogprob {
  TokenAlternative chosen;
  std::vector<TokenAlternative> top;  // likeliest first
};

}  // namespace tinyarms::cascade
