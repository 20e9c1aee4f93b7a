// OpenAI's Responses API, without memory between requests: a body → the same ChatRequest that chat
// completions are read into, and the reply in its form. Errors: InvalidArgument, with the field's
// name as `where`; Unsupported for what is understood but not served (earlier responses, tools of
// the server's own).
#pragma once

#include <memory>

#include "base/result.h"
#include "openai/chat.h"
#include "openai/field_reader.h"
#include "openai/reply_writer.h"

namespace tinyarms::openai {

struct ResponsesRequest {
  ChatRequest chat;
  OrderedJson echo;  // fields that a response repeats as they were asked for
};

Result<ResponsesRequest> parse_responses(const Json& body);

// Whole: {"object": "response", …}. Streamed: response.created, response.in_progress, then of a
// message output_item.added, content_part.added, output_text.delta …, output_text.done,
// content_part.done, output_item.done; of a call output_item.added,
// function_call_arguments.delta …, function_call_arguments.done, output_item.done; and
// response.completed or response.incomplete with everything once more.
std::unique_ptr<ReplyWriter> responses_writer(const ResponsesRequest& request);

}  // namespace tinyarms::openai
