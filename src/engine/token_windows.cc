#include "engine/token_windows.h"

#include <algorithm>
#include <cmath>

namespace tinyarms::engine {

TokenWindows split_into_windows(std::span<const int32_t> body, const WindowOptions& options) {
  const size_t special = (options.begin ? 1u : 0u) + (options.end ? 1u : 0u);
  const size_t room = std::max<size_t>(options.window, special + 1) - special;
  TokenWindows split;
  if (body.size() > room * kWindowsMax) {
    body = body.first(room * kWindowsMax);
    split.truncated = true;
  }
  const size_t count = std::max<size_t>(1, (body.size() + room - 1) / room);
  for (size_t i = 0; i < count; ++i) {
    const size_t begin = i * room;
    const size_t end = std::min(begin + room, body.size());
    std::vector<int32_t>& window = split.windows.emplace_back();
    window.reserve(end - begin + special);
    if (options.begin) window.push_back(*options.begin);
    window.insert(window.end(), body.begin() + static_cast<std::ptrdiff_t>(begin),
                  body.begin() + static_cast<std::ptrdiff_t>(end));
    if (options.end) window.push_back(*options.end);
  }
  return split;
}

std::vector<float> pool_windows(std::span<const float> vectors,
                                std::span<const std::vector<int32_t>> windows, size_t width) {
  std::vector<double> sum(width, 0.0);
  for (size_t i = 0; i < windows.size(); ++i) {
    const auto weight = static_cast<double>(windows[i].size());
    for (size_t c = 0; c < width; ++c) sum[c] += weight * double{vectors[i * width + c]};
  }
  double squares = 0;
  for (const double value : sum) squares += value * value;
  if (!std::isfinite(squares) || squares <= 0) return {};
  const double scale = 1.0 / std::sqrt(squares);
  std::vector<float> unit(width);
  for (size_t c = 0; c < width; ++c) unit[c] = static_cast<float>(sum[c] * scale);
  return unit;
}

}  // namespace tinyarms::engine
