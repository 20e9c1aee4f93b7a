// Bytes as base64 (RFC 4648, section 4) and back. The decoder accepts only what an encoder writes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tinyarms {

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);  // padding required

}  // namespace tinyarms
