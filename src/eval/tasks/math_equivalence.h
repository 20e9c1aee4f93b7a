// Whether two final answers to a mathematics problem are the same, as a marker would say.
// The rules, and where they are stricter or kinder than others', are in docs/scorers-math.md.
#pragma once

#include <string_view>

namespace tinyarms::eval {

// Deterministic, bounded in time and depth, for any text. Symmetric.
bool same_answer(std::string_view a, std::string_view b);

}  // namespace tinyarms::eval
