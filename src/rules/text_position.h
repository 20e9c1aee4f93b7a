// Where a byte offset is, for people and for JSON: lines and columns from zero, columns counted in
// characters.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace tinyarms::rules {

// Characters between the start of the line and the offset.
inline uint32_t column_of(std::string_view text, uint32_t offset) {
  uint32_t column = 0;
  for (size_t at = std::min<size_t>(offset, text.size()); at > 0 && text[at - 1] != '\n'; --at) {
    column += (text[at - 1] & 0xC0) != 0x80 ? 1 : 0;
  }
  return column;
}

}  // namespace tinyarms::rules
