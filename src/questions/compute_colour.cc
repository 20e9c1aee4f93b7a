// Colours: #rrggbb, rgb() and hsl() (CSS Color Module Level 4, section 7.1 for the conversion).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "questions/computation.h"
#include "questions/scan.h"

namespace tinyarms::questions {
namespace {

struct Colour {
  int red = 0;
  int green = 0;
  int blue = 0;
};

// "#ff8800", "ff8800", "#f80".
std::optional<Colour> read_hex(std::string text) {
  const bool hash = !text.empty() && text[0] == '#';
  if (hash) text.erase(0, 1);
  if (text.size() == 3 && hash) {
    text = {text[0], text[0], text[1], text[1], text[2], text[2]};
  }
  if (text.size() != 6 || text.find_first_not_of("0123456789abcdefABCDEF") != text.npos) {
    return std::nullopt;
  }
  const int value = std::stoi(text, nullptr, 16);
  return Colour{value >> 16, value >> 8 & 255, value & 255};
}

std::optional<Colour> read_rgb(const ComputationInput& input) {
  const auto red = scan_number(input.get("red"), 255);
  const auto green = scan_number(input.get("green"), 255);
  const auto blue = scan_number(input.get("blue"), 255);
  if (!red || !green || !blue) return std::nullopt;
  return Colour{static_cast<int>(*red), static_cast<int>(*green), static_cast<int>(*blue)};
}

// Whole degrees and per cent, rounded half up, in integers so that no machine differs.
std::string show_hsl(const Colour& colour) {
  const int most = std::max({colour.red, colour.green, colour.blue});
  const int least = std::min({colour.red, colour.green, colour.blue});
  const int range = most - least;
  const int sum = most + least;
  int hue = 0;
  int saturation = 0;
  const auto rounded = [](int numerator, int denominator) {
    return (2 * numerator + denominator) / (2 * denominator);
  };
  if (range > 0) {
    int sixtieths = 0;  // hue × range / 60, from the largest component
    if (most == colour.red) {
      sixtieths = (colour.green - colour.blue + 6 * range) % (6 * range);
    } else if (most == colour.green) {
      sixtieths = colour.blue - colour.red + 2 * range;
    } else {
      sixtieths = colour.red - colour.green + 4 * range;
    }
    hue = rounded(60 * sixtieths, range) % 360;
    const int room = sum <= 255 ? sum : 510 - sum;
    saturation = rounded(100 * range, room);
  }
  return fmt::format("hsl({}, {}%, {}%)", hue, saturation, rounded(100 * sum, 510));
}

Variables variables_of(const Colour& colour) {
  return {{"hex", fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue)},
          {"rgb", fmt::format("rgb({}, {}, {})", colour.red, colour.green, colour.blue)},
          {"hsl", show_hsl(colour)}};
}

std::optional<Variables> colour_of_hex(const ComputationInput& input) {
  const auto colour = read_hex(input.get("colour"));
  if (!colour) return std::nullopt;
  return variables_of(*colour);
}

std::optional<Variables> colour_of_rgb(const ComputationInput& input) {
  const auto colour = read_rgb(input);
  if (!colour) return std::nullopt;
  return variables_of(*colour);
}

}  // namespace

const std::vector<Computation>& colour_computations() {
  static const std::vector<Computation> kComputations = {
      {"colour-of-hex", false, {"colour"}, {"hex", "rgb", "hsl"}, colour_of_hex},
      {"colour-of-rgb", false, {"red", "green", "blue"}, {"hex", "rgb", "hsl"}, colour_of_rgb},
  };
  return kComputations;
}

}  // namespace tinyarms::questions
