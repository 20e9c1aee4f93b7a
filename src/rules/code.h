// Code inside text: where it is, whether it parses, which language it is. tree-sitter's grammars
// judge structure only: neither names nor types. All functions are thread-safe and deterministic
// (parsing is bounded by steps, never by the clock).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::rules {

// The largest code that is parsed; larger counts as "no verdict".
inline constexpr size_t kCodeBytesMax = 256 << 10;

// "Py", "python3" → "python"; "C++" → "cpp". A name that is not known comes back in lower case.
std::string normalise_language(std::string_view name);
// "cpp" → "C++": for people.
std::string display_language(std::string_view name);

struct CodeBlock {
  std::string language;  // from the fence's info string, normalised; may be empty
  std::string code;      // without the fences, with the newline before the closing one
};

// Fenced blocks (CommonMark 0.31, section 4.5: ``` and ~~~, longer fences, indentation, an
// unclosed last block runs to the end). Text without fences has none.
std::vector<CodeBlock> extract_code_blocks(std::string_view markdown);

// Whether the code is well formed: no ERROR or MISSING node, and for Python no empty block and no
// Python 2 statement, for JSON exactly one RFC 8259 value. Nothing where there is no grammar, the
// code is too large, or parsing gave up.
std::optional<bool> parses(std::string_view code, std::string_view language);

// The one language that the code parses in and bears marks of; nothing where that is not certain.
std::optional<std::string> guess_language(std::string_view code);

}  // namespace tinyarms::rules
