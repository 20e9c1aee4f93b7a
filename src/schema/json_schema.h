// JSON schemas that strangers send: whether one may be used at all, what of it a grammar can hold
// to, and whether a value keeps to it. Drafts 7 and 2020-12 as far as tools and structured answers
// use them; "format" and what is unknown are annotations. References reach into the same document
// only, patterns are RE2's (linear in the text), and work is bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tinyarms::schema {

inline constexpr size_t kSchemaBytesMax = 64 << 10;
inline constexpr int kSchemaDepthMax = 32;      // brackets
inline constexpr size_t kSchemaNodesMax = 8192;  // values of any kind in it

// Errors: InvalidArgument for what is no schema or larger than the above; `where` is the place in
// it as a JSON pointer, "" being the whole.
Result<void> check_schema(std::string_view schema);

// The same schema without what a grammar cannot keep to, or only at a price (unusual patterns,
// large counts, alternatives that are many or multiply): every value of the one is a value of the
// other. `repeats`: what its counts may come to in all. A text that is no JSON stays as it is.
std::string constrainable(std::string_view schema, int64_t repeats = 1024);

// Why `value` (a JSON text) does not keep to `schema`, in one line that names the place; nothing
// where it does.
std::optional<std::string> violation(std::string_view schema, std::string_view value);

}  // namespace tinyarms::schema
