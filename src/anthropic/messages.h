// Anthropic's Messages API: a body → the same ChatRequest that OpenAI's APIs are read into, and the
// reply in its form. Errors name the field, as OpenAI's do; their shape is the caller's.
#pragma once

#include <memory>

#include "base/result.h"
#include "openai/chat.h"
#include "openai/field_reader.h"
#include "openai/reply_writer.h"

namespace tinyarms::anthropic {

Result<openai::ChatRequest> parse_messages(const openai::Json& body);
// /v1/messages/count_tokens: the same without a limit of the answer.
Result<openai::ChatRequest> parse_count(const openai::Json& body);

// Whole: {"type": "message", …}. Streamed: message_start, then for each block content_block_start,
// its deltas, content_block_stop; message_delta with the stop reason and the usage; message_stop.
std::unique_ptr<openai::ReplyWriter> messages_writer(const openai::ChatRequest& request);

// {"type": "error", "error": {"type", "message"}}
openai::OrderedJson error_json(const openai::ApiError& error);

}  // namespace tinyarms::anthropic
