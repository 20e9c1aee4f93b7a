// UTF-8 (RFC 3629): strict validation for what comes in, and cutting without splitting a character.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tinyarms {

// Byte offset of the first invalid sequence (overlong forms, surrogates and > U+10FFFF count as
// invalid), or nothing where the text is valid.
std::optional<size_t> find_invalid_utf8(std::string_view text);

// Length of the longest prefix of `text` that does not end inside a character: what can be shown
// now of a stream whose next bytes are still to come. Invalid bytes count as complete.
size_t complete_utf8_prefix(std::string_view text);

}  // namespace tinyarms
