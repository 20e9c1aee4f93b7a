#include "calibration/margin_trace.h"

#include <cmath>

namespace tinyarms::calibration {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr int kSteps = 63;

}  // namespace

int margin_step(double margin) {
  if (!(margin > 0)) return 0;
  if (margin >= 1) return kSteps;
  return static_cast<int>(std::lround(margin * kSteps));
}

void append_margin(double margin, std::string& trace) {
  trace += kAlphabet[static_cast<size_t>(margin_step(margin))];
}

std::optional<std::vector<uint8_t>> read_margin_steps(std::string_view trace) {
  std::vector<uint8_t> steps;
  steps.reserve(trace.size());
  for (const char character : trace) {
    const size_t step = kAlphabet.find(character);
    if (step == std::string_view::npos) return std::nullopt;
    steps.push_back(static_cast<uint8_t>(step));
  }
  return steps;
}

}  // namespace tinyarms::calibration
