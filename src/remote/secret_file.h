// A secret in a file that its owner alone can read.
#pragma once

#include <filesystem>
#include <optional>

#include "base/result.h"
#include "remote/endpoint.h"

namespace tinyarms::remote {

// What stands in the file, without blanks and line ends after it; nothing where there is no such
// file. Errors: Config (others may read it, no plain file, unreadable, or with what no header may
// carry). The secret is in no message.
Result<std::optional<ApiKey>> read_secret_file(const std::filesystem::path& path);

// `text` as a secret that a header can carry, without blanks and line ends after it. `where`: for
// the error.
Result<ApiKey> clean_secret(std::string text, const std::string& where);

// Where a key is to be found: in a file, else in a variable of the environment.
struct KeyPlaces {
  std::string variable{};        // its name; empty: none
  std::filesystem::path file{};  // empty: none
};

// Empty where no place is named. Errors: Config, also where the place that is named has none.
Result<ApiKey> find_key(const KeyPlaces& places);

}  // namespace tinyarms::remote
