// The token of the hub, for repositories that want one: from the environment, or from a file that
// its owner alone can read.
#pragma once

#include <filesystem>
#include <string>

#include "base/paths.h"
#include "base/result.h"
#include "remote/endpoint.h"

namespace tinyarms::pull {

struct TokenPlaces {
  std::string variable{};        // its name; empty: none
  std::filesystem::path file{};  // need not exist
};

// Empty where neither place has one. Errors: Config (a file that others can read, or with what no
// header may carry). The token is in no message.
Result<remote::ApiKey> read_token(const TokenPlaces& places, const Environment& environment);

}  // namespace tinyarms::pull
