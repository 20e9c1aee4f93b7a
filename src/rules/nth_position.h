// The An+B of `nthChild`, as CSS has it (Selectors Level 4, 6.6.5.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tinyarms::rules {

struct NthPosition {
  int32_t step = 0;
  int32_t offset = 0;

  // `index` counts from zero; the formula counts from one.
  bool holds(uint32_t index) const {
    const int64_t position = static_cast<int64_t>(index) + 1;
    if (step == 0) return position == offset;
    const int64_t n = position - offset;
    return n / step >= 0 && n % step == 0;
  }
};

// "3", "2n+1", "-n + 3", "n"; nothing where it is neither.
std::optional<NthPosition> read_nth_position(std::string_view text);

}  // namespace tinyarms::rules
