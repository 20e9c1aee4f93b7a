// What a request for an answer says, whichever API it came through: chat completions, completions,
// responses, Anthropic's messages. And what is answered. Only what is named here can be asked for:
// no field carries a template, a grammar, a path or anything else of the engine's insides.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace tinyarms::openai {

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON, as the model wrote it
};

struct ChatMessage {
  std::string role;  // "system", "user", "assistant", "tool"
  std::string content;
  std::vector<ToolCall> tool_calls = {};  // of an assistant
  std::string tool_call_id = {};          // of a tool's result
  std::string name = {};
};

struct Tool {
  std::string name;
  std::string description;
  std::string parameters;  // a JSON schema, as JSON
  std::string place = {};  // the field that had it
  bool strict = false;
};

enum class ToolChoice { Auto, None, Required, Named };
enum class Format { Text, JsonObject, JsonSchema };

// The `tinyarms` object of a request, and the x-tinyarms-* headers, which say the same.
struct Wishes {
  std::optional<std::string> tier;      // only this one answers
  std::optional<std::string> max_tier;  // never climb past it
  std::optional<double> threshold;      // confidence that an answer must reach
  std::optional<double> seconds_max;
  std::optional<double> cost_max;
  std::optional<bool> cache;            // false: neither use nor fill it
  bool trace = false;                   // the whole trace in the reply
};

struct ChatRequest {
  std::string model;
  std::vector<ChatMessage> messages;
  std::string prefix;                   // completions: text to go on from, instead of messages
  std::string suffix;                   // completions: what comes after the gap
  bool completion = false;              // prefix and suffix count, messages do not
  bool echo = false;
  int n = 1;
  std::optional<int> tokens_max;
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<int> top_k;
  double presence_penalty = 0;
  double frequency_penalty = 0;
  std::map<int, double> logit_bias;
  std::optional<uint32_t> seed;
  std::vector<std::string> stop;
  bool stream = false;
  bool include_usage = false;
  bool logprobs = false;
  int top_logprobs = 0;
  Format format = Format::Text;
  std::string schema;                   // of JsonSchema, as JSON
  std::string schema_place;             // the field that had it
  std::string schema_name;
  std::vector<Tool> tools;
  ToolChoice tool_choice = ToolChoice::Auto;
  std::string tool_named;
  bool parallel_tool_calls = true;
  Wishes wishes;
};

// What is new of a call since the delta before.
struct ToolDelta {
  size_t index = 0;  // of the call in the answer
  std::string id;    // with the first delta of a call, as the name
  std::string name;
  std::string arguments;
};

struct TopToken {
  std::string token;
  double logprob = 0;
};

struct TokenLogprob {
  std::string token;
  double logprob = 0;
  std::vector<TopToken> top;
};

struct Choice {
  std::string content;
  std::vector<ToolCall> tool_calls = {};
  std::string finish = "stop";  // "stop", "length", "tool_calls"
  std::string stop_sequence = {};  // of the request's, which ended it; empty: none did
  std::vector<TokenLogprob> logprobs = {};
};

struct Usage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  int64_t cached_tokens = 0;
};

struct ChatReply {
  std::string id;         // without a prefix: each API has its own
  int64_t created = 0;    // seconds since 1970
  std::string model;      // as asked for
  std::string fingerprint;
  std::vector<Choice> choices;
  Usage usage;
  nlohmann::ordered_json tinyarms;  // the object of the same name
};

}  // namespace tinyarms::openai
