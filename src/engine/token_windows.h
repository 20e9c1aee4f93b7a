// A text longer than a model's window, as full windows and a rest, and their vectors as one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tinyarms::engine {

// Of one text: what lies past this many is not looked at.
inline constexpr size_t kWindowsMax = 256;

struct WindowOptions {
  size_t window = 0;             // tokens a window may hold, the special ones included; ≥ 3
  std::optional<int32_t> begin;  // put around every window
  std::optional<int32_t> end;
};

struct TokenWindows {
  std::vector<std::vector<int32_t>> windows;  // at least one
  bool truncated = false;                     // there were more than kWindowsMax
};

// `body` without special tokens.
TokenWindows split_into_windows(std::span<const int32_t> body, const WindowOptions& options);

// The mean of `vectors` (one a window, `width` values each) weighted by the windows' tokens, scaled
// to length 1. Empty where that cannot be: not finite, or zero.
std::vector<float> pool_windows(std::span<const float> vectors,
                                std::span<const std::vector<int32_t>> windows, size_t width);

}  // namespace tinyarms::engine
