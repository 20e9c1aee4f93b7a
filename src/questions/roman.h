// Roman numerals from 1 to 3999, in their one standard spelling.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tinyarms::questions {

std::string roman_of(int value);  // 1 ≤ value ≤ 3999
// Nothing for any spelling but the standard one ("IIII", "IC"). Case does not matter.
std::optional<int> read_roman(std::string_view text);

}  // namespace tinyarms::questions
