// Encodings of bytes as text and back: hexadecimal, percent-encoding of everything outside the
// unreserved set (RFC 3986, section 2.3), ROT13, and single code points. Decoders accept only
// well-formed input. Base64 is base/base64.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tinyarms::questions {

std::string hex_encode(std::string_view bytes);                   // lower case
std::optional<std::string> hex_decode(std::string_view text);     // with or without 0x
std::string url_encode(std::string_view bytes);
std::optional<std::string> url_decode(std::string_view text);  // '+' stays: it is a form's space
std::string rot13(std::string_view text);

// The one code point that the text is (UTF-8), else nothing.
std::optional<uint32_t> single_code_point(std::string_view text);
// What a person sees of it: the character in quotes, or the name of an ASCII control character.
// Nothing for what is no character, or could not be seen.
std::optional<std::string> show_code_point(uint32_t code);

}  // namespace tinyarms::questions
