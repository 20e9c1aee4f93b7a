// SHA-256 (FIPS 180-4) of text and files, and HMAC (RFC 2104) with it, as 64 lower-case hex digits.
// OpenSSL's libcrypto.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tinyarms {

std::string sha256_hex(std::string_view bytes);

// What only the holder of the key can compute. Compare two of them with same_seal().
std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);
// In a time that does not depend on where they differ.
bool same_seal(std::string_view a, std::string_view b);

// Whether the text is spelt as one.
bool is_sha256(std::string_view text);

// Reads the file in blocks. Errors: NotFound, Io.
Result<std::string> sha256_file(const std::filesystem::path& path);

}  // namespace tinyarms
