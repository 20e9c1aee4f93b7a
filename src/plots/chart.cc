#include "plots/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tinyarms::plots {

std::vector<double> ticks(Range range, int count) {
  const double span = range.high - range.low;
  if (!(span > 0) || !std::isfinite(span) || count < 1) return {range.low};
  const double rough = span / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * 0.999) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> values;
  // Counted in steps, so that rounding does not add up.
  const double last = std::floor(range.high / step + 1e-9);
  for (double i = std::ceil(range.low / step - 1e-9); i <= last; ++i) values.push_back(i * step);
  return values;
}

std::vector<double> logarithmic_ticks(Range range) {
  std::vector<double> values;
  if (!(range.low > 0) || !(range.high > range.low)) return {range.low};
  const bool few = range.high / range.low < 1000;
  for (double power = std::pow(10, std::floor(std::log10(range.low))); power <= range.high;
       power *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * power;
      if ((factor == 1 || few) && value >= range.low && value <= range.high) {
        values.push_back(value);
      }
    }
  }
  return values;
}

std::string tick_text(double value) {
  if (value == 0) return "0";
  const double size = std::fabs(value);
  if (size >= 1e7 || size < 1e-4) return fmt::format("{:.0e}", value);
  return fmt::format("{:.6g}", value);
}

Range range_of(const Axis& axis, const std::vector<Series>& series, bool horizontal) {
  if (axis.range) return *axis.range;
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  const auto take = [&](double value) {
    if (!std::isfinite(value) || (axis.logarithmic && value <= 0)) return;
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
  };
  for (const Series& each : series) {
    for (const Point& point : each.points) {
      take(horizontal ? point.x : point.y);
      if (horizontal || !point.y_interval) continue;
      take(point.y_interval->low);
      take(point.y_interval->high);
    }
  }
  if (range.low > range.high) return axis.logarithmic ? Range{1, 10} : Range{0, 1};
  if (axis.logarithmic) return {range.low / 1.5, range.high * 1.5};
  const double room = range.high > range.low ? 0.05 * (range.high - range.low)
                                             : std::max(0.5, std::fabs(range.low) / 2);
  return {range.low - room, range.high + room};
}

size_t letters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace tinyarms::plots
