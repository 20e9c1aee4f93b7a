#include "remote/chat_wire.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tinyarms::remote {
namespace {

using Json = nlohmann::json;

// A member of an object; null where it is none, or has no such member.
const Json& member(const Json& object, const char* name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

int64_t count_of(const Json& value) {
  return value.is_number_integer() ? std::max<int64_t>(0, value.get<int64_t>()) : 0;
}

Error not_a_reply() {
  return Error{ErrorCode::Corrupt, "the reply is not a chat completion", "",
               "is this address an OpenAI-compatible API?"};
}

void read_logprobs(const Json& choice, std::vector<TokenLogprob>& tokens) {
  const Json& content = member(member(choice, "logprobs"), "content");
  if (!content.is_array()) return;
  for (const Json& entry : content) {
    const Json& chosen = member(entry, "logprob");
    if (!chosen.is_number()) continue;
    TokenLogprob token{.chosen = chosen.get<double>()};
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
    body["messages"].push_back({{"role", message.role}, {"content", message.content}});
  }
  if (!options.stop.empty()) body["stop"] = options.stop;
  if (wire.logprobs) {
    body["logprobs"] = true;
    body["top_logprobs"] = options.top_logprobs;
  }
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string error_words(std::string_view body) {
  constexpr size_t kBytesMax = 300;
  const Json parsed = Json::parse(body, nullptr, false);
  const Json& error = member(parsed, "error");
  std::string words = error.is_string() ? text_of(error) : text_of(member(error, "message"));
  if (words.empty()) words = text_of(member(parsed, "message"));
  std::string line;
  for (const char c : words) {
    if (line.size() == kBytesMax) break;
    const auto byte = static_cast<unsigned char>(c);
    line += byte < ' ' || byte > '~' ? ' ' : c;
  }
  return line;
}

Result<void> ReplyReader::take_event(std::string_view data) {
  if (data == "[DONE]") {
    done_ = true;
    return {};
  }
  const Json chunk = Json::parse(data, nullptr, false);
  if (!chunk.is_object()) return not_a_reply();
  if (!member(chunk, "error").is_null()) {
    return Error{ErrorCode::Unavailable, "the engine broke off: " + error_words(data), "", ""};
  }
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
  const std::string text = text_of(member(member(choice, "delta"), "content"));
  if (!text.empty()) {
    started_ = true;
    reply_.text += text;
    if (on_text_) on_text_(text);
  }
  if (const std::string reason = text_of(member(choice, "finish_reason")); !reason.empty()) {
    started_ = true;
    reply_.finish_reason = reason;
  }
  return {};
}

Result<void> ReplyReader::take_object(std::string_view body) {
  const Json parsed = Json::parse(body, nullptr, false);
  const Json& choices = member(parsed, "choices");
  if (!choices.is_array() || choices.empty()) return not_a_reply();
  const Json& choice = choices[0];
  const Json& content = member(member(choice, "message"), "content");
  if (!content.is_string()) return not_a_reply();
  reply_.model = text_of(member(parsed, "model"));
  reply_.text = content.get<std::string>();
  reply_.finish_reason = text_of(member(choice, "finish_reason"));
  reply_.prompt_tokens = count_of(member(member(parsed, "usage"), "prompt_tokens"));
  reply_.completion_tokens = count_of(member(member(parsed, "usage"), "completion_tokens"));
  read_logprobs(choice, reply_.logprobs);
  started_ = done_ = true;
  if (on_text_ && !reply_.text.empty()) on_text_(reply_.text);
  return {};
}

}  // namespace tinyarms::remote
