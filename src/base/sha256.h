// SHA-256 (FIPS 180-4) of text and files, as 64 lower-case hex digits. OpenSSL's libcrypto.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tinyarms {

std::string sha256_hex(std::string_view bytes);

// Whether the text is spelt as one.
bool is_sha256(std::string_view text);

// Reads the file in blocks. Errors: NotFound, Io.
Result<std::string> sha256_file(const std::filesystem::path& path);

}  // namespace tinyarms
