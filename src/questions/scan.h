// Small readers of numbers and words that the computations share. They accept the whole text or
// nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::questions {

// Decimal digits only, without a sign, up to `max`.
std::optional<int64_t> scan_number(std::string_view text, int64_t max);
// As scan_number, with an optional sign, within ±max.
std::optional<int64_t> scan_signed(std::string_view text, int64_t max);
// Pieces between separators, empty ones kept.
std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace tinyarms::questions
