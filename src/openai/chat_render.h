// A ChatReply as chat completions and completions show it, whole; and the parts of JSON that they
// share with their streams.
#pragma once

#include <string>
#include <string_view>

#include "openai/chat.h"

namespace tinyarms::openai {

using OrderedJson = nlohmann::ordered_json;

OrderedJson chat_json(const ChatReply& reply);
OrderedJson completion_json(const ChatReply& reply);

// "data: {…}\n\n". Text that is not UTF-8 becomes U+FFFD.
std::string event_of(const OrderedJson& json);
std::string text_of(const OrderedJson& json);
inline constexpr std::string_view kDoneEvent = "data: [DONE]\n\n";

OrderedJson usage_json(const Usage& usage);
OrderedJson tool_call_json(const ToolCall& call);
// Null where there are none.
OrderedJson logprobs_json(const std::vector<TokenLogprob>& tokens);
OrderedJson completion_logprobs_json(const std::vector<TokenLogprob>& tokens);

}  // namespace tinyarms::openai
