// What looks like a credential, so that it never gets into an index, a prompt or an answer. By a
// file's name, and by patterns of well-known keys in its text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tinyarms::corpus {

struct Secret {
  std::string pattern = {};  // "private key", "AWS access key": never the secret itself
  uint32_t line = 0;    // 1-based; 0: the file's name tells
};

std::optional<Secret> secret_name(std::string_view path);
std::optional<Secret> find_secret(std::string_view text);

}  // namespace tinyarms::corpus
