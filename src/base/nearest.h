// "Did you mean …": the known word nearest to a mistyped one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tinyarms {

// Distance: optimal string alignment (insert, delete, replace, swap of neighbours) over bytes,
// ASCII case ignored. Nothing is suggested beyond a third of the longer word's length, nor for
// words over 128 bytes: a far-fetched suggestion is worse than none. A word that `word` begins
// ("qwen" of "qwen2.5-coder") counts as near. Ties: the first of `known`.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);

}  // namespace tinyarms
