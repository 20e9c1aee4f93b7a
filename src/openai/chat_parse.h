// /v1/chat/completions and /v1/completions: a body → ChatRequest. Errors: InvalidArgument, with
// the field's name as `where`; Unsupported for what is understood but not served (images, audio).
#pragma once

#include "base/result.h"
#include "openai/chat.h"
#include "openai/field_reader.h"

namespace tinyarms::openai {

Result<ChatRequest> parse_chat(const Json& body);
Result<ChatRequest> parse_completion(const Json& body);

// Parts that other APIs share.
void read_sampling(FieldReader& reader, ChatRequest& request);
void read_wishes(FieldReader& reader, Wishes& wishes);
// One header `x-tinyarms-NAME: value`; errors name the header.
Result<void> read_wish(std::string_view name, const std::string& value, Wishes& wishes);
// A text, or a list of parts of which each must be text ("text", "input_text", "output_text").
std::string read_content(FieldReader& reader, const Json& content, const std::string& path);
bool is_tool_name(const std::string& name);
void read_function(FieldReader& outer, const Json& function, const std::string& path, Tool& tool);

inline constexpr size_t kToolsMax = 128;
inline constexpr int kTokensMax = 131072;

}  // namespace tinyarms::openai
