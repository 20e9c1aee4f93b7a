// policy.toml → the terms of the policy (docs/policy.md describes the file). Nothing is guessed: an
// unknown key, a value of the wrong kind or out of range is an error with its line.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "cascade/declared_policy.h"

namespace tinyarms::service {

// Errors: Config (`where` is file:line:column), NotFound, Io.
Result<cascade::PolicyTerms> read_policy_file(const std::filesystem::path& path);

}  // namespace tinyarms::service
