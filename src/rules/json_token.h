// Numbers and strings of RFC 8259, which is stricter than the grammar that finds them.
#pragma once

#include <string_view>

namespace tinyarms::rules {

bool is_json_number(std::string_view text);
bool is_json_string(std::string_view text);  // with its quotes

}  // namespace tinyarms::rules
