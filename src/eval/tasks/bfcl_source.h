// Calls written in Java or JavaScript: "[f(a = \"x\", b = 5L)]" → names and the source text of each
// argument, and what that text is worth as the type that the function's description wants.
// Facts: the benchmark's Java and JavaScript converters; differences in docs/scorers-bfcl.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/tasks/bfcl_value.h"

namespace tinyarms::eval::bfcl {

enum class Language { Python, Java, JavaScript };

// Every argument's value is a String: its source, without the quotes where the whole is one
// literal. Unnamed arguments are passed over. Nothing where the text is no call or list of calls.
std::optional<std::vector<Call>> parse_source_calls(std::string_view text, Language language);

struct WantedType {
  std::string type;       // of the description: "integer", "ArrayList", "dict"
  std::string item_type;  // of a collection's items; empty where not said
};

// Source text → value; the text itself, as a String, where it is not of that type.
Value convert_java(const std::string& source, const WantedType& wanted);
Value convert_javascript(const std::string& source, const WantedType& wanted);

}  // namespace tinyarms::eval::bfcl
