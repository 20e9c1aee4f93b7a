#include "calibration/prompt_features.h"

#include <cmath>

namespace tinyarms::calibration {
namespace {

constexpr std::array<std::string_view, kPromptFeatures> kNames = {
    "characters", "words", "lines", "digits", "sentences", "code_marks", "long_words", "questions"};
constexpr size_t kLongWord = 8;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

}  // namespace

std::string_view prompt_feature_name(size_t index) { return kNames.at(index); }

PromptFeatures prompt_features(std::string_view prompt) {
  constexpr std::string_view kCodeMarks = "{}[]()<>=;_`#";
  std::array<size_t, kPromptFeatures> counts{};
  size_t word = 0;
  const auto end_word = [&] {
    if (word > 0) ++counts[1];
    if (word >= kLongWord) ++counts[6];
    word = 0;
  };
  for (const char c : prompt) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {  // not a continuation byte
      ++counts[0];
      word += is_space(c) ? 0 : 1;
    }
    if (is_space(c)) end_word();
    if (c == '\n') ++counts[2];
    if (c >= '0' && c <= '9') ++counts[3];
    if (c == '.' || c == '!') ++counts[4];
    if (kCodeMarks.find(c) != std::string_view::npos) ++counts[5];
    if (c == '?') ++counts[7];
  }
  end_word();
  PromptFeatures features{};
  features[0] = static_cast<float>(counts[0]);
  for (size_t i = 1; i < kPromptFeatures; ++i) {
    features[i] = static_cast<float>(std::log1p(static_cast<double>(counts[i])));
  }
  return features;
}

}  // namespace tinyarms::calibration
