#include "openai/chat_render.h"

#include <cmath>

namespace tinyarms::openai {
namespace {

OrderedJson bytes_of(const std::string& token) {
  OrderedJson bytes = OrderedJson::array();
  for (const char c : token) bytes.push_back(static_cast<unsigned char>(c));
  return bytes;
}

double finite(double value) { return std::isfinite(value) ? value : -9999.0; }

OrderedJson reply_head(const ChatReply& reply, const char* prefix, const char* object) {
  return {{"id", prefix + reply.id},
          {"object", object},
          {"created", reply.created},
          {"model", reply.model},
          {"system_fingerprint", reply.fingerprint},
          {"choices", OrderedJson::array()},
          {"usage", usage_json(reply.usage)}};
}

}  // namespace

std::string text_of(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string event_of(const OrderedJson& json) { return "data: " + text_of(json) + "\n\n"; }

OrderedJson usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}, {"audio_tokens", 0}}},
          {"completion_tokens_details",
           {{"reasoning_tokens", 0},
            {"audio_tokens", 0},
            {"accepted_prediction_tokens", 0},
            {"rejected_prediction_tokens", 0}}}};
}

OrderedJson chat_json(const ChatReply& reply) {
  OrderedJson json = reply_head(reply, "chatcmpl-", "chat.completion");
  for (size_t i = 0; i < reply.choices.size(); ++i) {
    const Choice& choice = reply.choices[i];
    OrderedJson message = {{"role", "assistant"}, {"content", choice.content},
                           {"refusal", nullptr}};
    if (!choice.tool_calls.empty()) {
      if (choice.content.empty()) message["content"] = nullptr;
      for (const ToolCall& call : choice.tool_calls) {
        message["tool_calls"].push_back(tool_call_json(call));
      }
    }
    json["choices"].push_back({{"index", i},
                               {"message", std::move(message)},
                               {"logprobs", logprobs_json(choice.logprobs)},
                               {"finish_reason", choice.finish}});
  }
  if (!reply.tinyarms.is_null()) json["tinyarms"] = reply.tinyarms;
  return json;
}

OrderedJson completion_json(const ChatReply& reply) {
  OrderedJson json = reply_head(reply, "cmpl-", "text_completion");
  for (size_t i = 0; i < reply.choices.size(); ++i) {
    const Choice& choice = reply.choices[i];
    json["choices"].push_back({{"text", choice.content},
                               {"index", i},
                               {"logprobs", completion_logprobs_json(choice.logprobs)},
                               {"finish_reason", choice.finish}});
  }
  if (!reply.tinyarms.is_null()) json["tinyarms"] = reply.tinyarms;
  return json;
}

OrderedJson logprobs_json(const std::vector<TokenLogprob>& tokens) {
  if (tokens.empty()) return nullptr;
  OrderedJson content = OrderedJson::array();
  for (const TokenLogprob& token : tokens) {
    OrderedJson top = OrderedJson::array();
    for (const TopToken& one : token.top) {
      top.push_back({{"token", one.token},
                     {"logprob", finite(one.logprob)},
                     {"bytes", bytes_of(one.token)}});
    }
    content.push_back({{"token", token.token},
                       {"logprob", finite(token.logprob)},
                       {"bytes", bytes_of(token.token)},
                       {"top_logprobs", std::move(top)}});
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

// The older form, of completions.
OrderedJson completion_logprobs_json(const std::vector<TokenLogprob>& tokens) {
  if (tokens.empty()) return nullptr;
  OrderedJson json = {{"tokens", OrderedJson::array()},
                      {"token_logprobs", OrderedJson::array()},
                      {"top_logprobs", OrderedJson::array()},
                      {"text_offset", OrderedJson::array()}};
  size_t offset = 0;
  for (const TokenLogprob& token : tokens) {
    json["tokens"].push_back(token.token);
    json["token_logprobs"].push_back(finite(token.logprob));
    OrderedJson top = OrderedJson::object();
    for (const TopToken& one : token.top) top[one.token] = finite(one.logprob);
    json["top_logprobs"].push_back(std::move(top));
    json["text_offset"].push_back(offset);
    offset += token.token.size();
  }
  return json;
}

OrderedJson tool_call_json(const ToolCall& call) {
  return {{"id", call.id},
          {"type", "function"},
          {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
}

}  // namespace tinyarms::openai
