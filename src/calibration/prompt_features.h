// What can be told about a question without answering it: the inputs of the baselines that route
// by the prompt alone. Cheap counts only, in the spirit of the heuristic routers in use.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace tinyarms::calibration {

inline constexpr size_t kPromptFeatures = 8;
using PromptFeatures = std::array<float, kPromptFeatures>;

// characters, then log(1 + n) of: words, lines, digits, sentences, code punctuation, long words,
// question marks. Characters are Unicode code points.
PromptFeatures prompt_features(std::string_view prompt);

std::string_view prompt_feature_name(size_t index);

}  // namespace tinyarms::calibration
