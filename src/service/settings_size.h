// Amounts of memory as people write them: "2.5GB" (powers of 1000), "7.2GiB" (powers of 1024),
// "4096" (bytes).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tinyarms::service {

// Units B, kB, MB, GB, TB, KiB, MiB, GiB, TiB in any case, a space before them allowed; fractions
// of a byte are dropped. Errors: InvalidArgument (no number, unknown unit, negative, over 2^63).
Result<uint64_t> parse_size(std::string_view text);

// The shortest form that parse_size reads back to exactly `bytes`.
std::string format_size(uint64_t bytes);

}  // namespace tinyarms::service
