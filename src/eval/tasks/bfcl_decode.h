// The calls in a model's answer, in whatever form it gave them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "eval/tasks/bfcl_source.h"
#include "eval/tasks/bfcl_value.h"

namespace tinyarms::eval::bfcl {

// As the benchmark's prompting mode decodes: the whole answer, but for blanks and backticks around
// it and missing outer brackets, is a list of calls in the language. Nothing where it is not.
std::optional<std::vector<Call>> decode_strictly(std::string_view answer, Language language);

// The same; else the first of these that is a list of calls: <tool_call> and <TOOLCALL> elements,
// fenced code, JSON tool calls ({"name", "arguments"}, with "parameters", "function" or a list
// "tool_calls", {"f": {…}}), a bracketed list within prose, a line that is one call.
std::optional<std::vector<Call>> decode_kindly(std::string_view answer, Language language);

}  // namespace tinyarms::eval::bfcl
