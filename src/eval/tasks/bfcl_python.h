// Calls written in Python: "[f(a=1), g.h(b='x')]" or one alone → names and values. A subset of the
// language: literals, lists, tuples, dictionaries, arithmetic on numbers; names and nested calls
// become their text, as the benchmark's own decoder has it.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "eval/tasks/bfcl_value.h"

namespace tinyarms::eval::bfcl {

// Nothing where the text, from end to end, is no call and no list of calls; "[]" is an empty list.
// Positional arguments are passed over, keywords given twice are an error, nesting is limited.
std::optional<std::vector<Call>> parse_python_calls(std::string_view text);

}  // namespace tinyarms::eval::bfcl
