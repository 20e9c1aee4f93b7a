#include "remote/chat_wire.h"

#include <algorithm>

#include "remote/json_fields.h"

namespace tinyarms::remote {
namespace {

using Json = nlohmann::json;

void read_logprobs(const Json& choice, std::vector<TokenLogprob>& tokens) {
  const Json& content = member(member(choice, "logprobs"), "content");
  if (!content.is_array()) return;
  for (const Json& entry : content) {
    const Json& chosen = member(entry, "logprob");
    if (!chosen.is_number()) continue;
    TokenLogprob token{.chosen = chosen.get<double>()};
    token.token = text_of(member(entry, "token"));
    for (const Json& other : member(entry, "top_logprobs")) {
      const Json& value = member(other, "logprob");
      if (value.is_number()) {
        token.top.emplace_back(text_of(member(other, "token")), value.get<double>());
      }
    }
    std::stable_sort(token.top.begin(), token.top.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    if (!token.top.empty()) token.best = token.top[0].second;
    if (token.top.size() > 1) token.second = token.top[1].second;
    tokens.push_back(std::move(token));
  }
}

ToolDelta delta_of(const Json& call, size_t index) {
  const Json& function = member(call, "function");
  return {index, text_of(member(call, "id")), text_of(member(function, "name")),
          text_of(member(function, "arguments"))};
}

Json message_json(const ChatMessage& message) {
  Json json = {{"role", message.role}, {"content", message.content}};
  if (!message.tool_call_id.empty()) json["tool_call_id"] = message.tool_call_id;
  for (const ToolCall& call : message.tool_calls) {
    json["tool_calls"].push_back(
        {{"id", call.id},
         {"type", "function"},
         {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  if (!message.tool_calls.empty() && message.content.empty()) json["content"] = nullptr;
  return json;
}

void add_order(const ChatOptions& options, Json& body) {
  for (const Tool& tool : options.tools) {
    body["tools"].push_back({{"type", "function"},
                             {"function",
                              {{"name", tool.name},
                               {"description", tool.description},
                               {"parameters", schema_of(tool.parameters)}}}});
  }
  constexpr std::string_view kNamed = "name:";
  if (!options.tools.empty()) {
    const bool named = options.tool_choice.starts_with(kNamed);
    if (named) {
      body["tool_choice"] = {{"type", "function"},
                             {"function", {{"name", options.tool_choice.substr(kNamed.size())}}}};
    } else if (!options.tool_choice.empty()) {
      body["tool_choice"] = options.tool_choice;
    }
    if (!options.parallel_tool_calls) body["parallel_tool_calls"] = false;
  }
  if (!options.json_schema.empty()) {
    body["response_format"] = {
        {"type", "json_schema"},
        {"json_schema", {{"name", "answer"}, {"schema", schema_of(options.json_schema)}}}};
  }
  for (const auto& [token, bias] : options.logit_bias) {
    body["logit_bias"][std::to_string(token)] = bias;
  }
  if (options.frequency_penalty != 0) body["frequency_penalty"] = options.frequency_penalty;
  if (options.presence_penalty != 0) body["presence_penalty"] = options.presence_penalty;
  if (options.top_p < 1) body["top_p"] = options.top_p;
}

}  // namespace

std::string request_body(const WireOptions& wire, const std::vector<ChatMessage>& messages,
                         const ChatOptions& options) {
  Json body = {{"model", wire.model},
               {"stream", true},
               {"stream_options", {{"include_usage", true}}},
               {"temperature", options.temperature},
               {"max_tokens", options.tokens_max},
               {"seed", options.seed}};
  body["messages"] = Json::array();
  for (const ChatMessage& message : messages) {
    body["messages"].push_back(message_json(message));
  }
  if (!options.stop.empty()) body["stop"] = options.stop;
  add_order(options, body);
  if (wire.logprobs) {
    body["logprobs"] = true;
    body["top_logprobs"] = options.top_logprobs;
  }
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<void> OpenAiReader::take_event(std::string_view data) {
  if (data == "[DONE]") {
    done_ = true;
    return {};
  }
  const Json chunk = Json::parse(data, nullptr, false);
  if (!chunk.is_object()) return not_a_reply();
  if (!member(chunk, "error").is_null()) return broken_off(data);
  if (const std::string model = text_of(member(chunk, "model")); !model.empty()) {
    reply_.model = model;
  }
  const Json& usage = member(chunk, "usage");
  if (usage.is_object()) {
    reply_.prompt_tokens = count_of(member(usage, "prompt_tokens"));
    reply_.completion_tokens = count_of(member(usage, "completion_tokens"));
  }
  const Json& choices = member(chunk, "choices");
  if (!choices.is_array() || choices.empty()) return {};
  const Json& choice = choices[0];
  read_logprobs(choice, reply_.logprobs);
  const Json& delta = member(choice, "delta");
  if (const std::string text = text_of(member(delta, "content")); !text.empty()) take_text(text);
  const Json& calls = member(delta, "tool_calls");
  for (size_t i = 0; calls.is_array() && i < calls.size(); ++i) {
    const Json& index = member(calls[i], "index");
    take_tool(delta_of(calls[i], index.is_number_unsigned() ? index.get<size_t>() : i));
  }
  if (const std::string reason = text_of(member(choice, "finish_reason")); !reason.empty()) {
    started_ = true;
    reply_.finish_reason = reason;
  }
  return {};
}

Result<void> OpenAiReader::take_object(std::string_view body) {
  const Json parsed = Json::parse(body, nullptr, false);
  const Json& choices = member(parsed, "choices");
  if (!choices.is_array() || choices.empty()) return not_a_reply();
  const Json& choice = choices[0];
  const Json& message = member(choice, "message");
  const Json& content = member(message, "content");
  const Json& calls = member(message, "tool_calls");
  const bool called = calls.is_array() && !calls.empty();
  if (!content.is_string() && !called) return not_a_reply();
  reply_.model = text_of(member(parsed, "model"));
  reply_.finish_reason = text_of(member(choice, "finish_reason"));
  reply_.prompt_tokens = count_of(member(member(parsed, "usage"), "prompt_tokens"));
  reply_.completion_tokens = count_of(member(member(parsed, "usage"), "completion_tokens"));
  read_logprobs(choice, reply_.logprobs);
  started_ = done_ = true;
  if (const std::string text = text_of(content); !text.empty()) take_text(text);
  for (size_t i = 0; called && i < calls.size(); ++i) take_tool(delta_of(calls[i], i));
  return {};
}

}  // namespace tinyarms::remote
