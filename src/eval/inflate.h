// Compressed data as benchmarks publish it (RFC 1950 and 1952, by zlib), bounded.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tinyarms::eval {

bool is_gzip(std::string_view bytes);

// gzip or zlib, told apart by their first bytes. Errors: Corrupt; OverBudget (more than
// `bytes_max` come out). The caller adds the place.
Result<std::string> inflate(std::string_view bytes, size_t bytes_max);

}  // namespace tinyarms::eval
