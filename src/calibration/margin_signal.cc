#include "calibration/margin_signal.h"

#include <fmt/format.h>

#include <algorithm>

namespace tinyarms::calibration {

Result<double> margin_uncertainty(std::span<const TopTwo> tokens) {
  constexpr double kRounding = 1e-9;
  if (tokens.empty()) {
    return Error{ErrorCode::InvalidArgument, "no token was generated", "", ""};
  }
  double sum = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const double high = std::max(tokens[i].first, tokens[i].second);
    const double low = std::min(tokens[i].first, tokens[i].second);
    const bool sound = tokens[i].first >= 0 && tokens[i].second >= 0 && high <= 1 + kRounding;
    if (!sound) {
      return Error{ErrorCode::InvalidArgument, fmt::format("{} and {} are no probabilities",
                                                           tokens[i].first, tokens[i].second),
                   fmt::format("token {}", i + 1), "give softmax probabilities"};
    }
    sum += std::min(high, 1.0) - low;
  }
  return 1 - sum / static_cast<double>(tokens.size());
}

}  // namespace tinyarms::calibration
