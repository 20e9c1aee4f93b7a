#include "plots/terminal_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace tinyarms::plots {
namespace {

// Eighths of a cell.
constexpr const char* kBlocks[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};

std::string bar(double share, int cells) {
  const double filled = std::clamp(share, 0.0, 1.0) * cells;
  const int whole = static_cast<int>(filled);
  std::string out;
  for (int i = 0; i < whole; ++i) out += "█";
  return out + kBlocks[static_cast<int>((filled - whole) * 8)];
}

// A plane of 2 × 4 dots a cell (Unicode block "Braille Patterns").
class Dots {
 public:
  Dots(int columns, int rows)
      : columns_(columns),
        rows_(rows),
        cells_(static_cast<size_t>(columns * rows)),
        letters_(static_cast<size_t>(columns * rows)) {}

  // From the bottom left corner, in [0, 1].
  void mark(double across, double up) {
    if (!(across >= 0 && across <= 1 && up >= 0 && up <= 1)) return;
    const int x = std::min(static_cast<int>(across * 2 * columns_), 2 * columns_ - 1);
    const int y = std::min(static_cast<int>((1 - up) * 4 * rows_), 4 * rows_ - 1);
    static constexpr unsigned char kBit[4][2] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    cells_[static_cast<size_t>(y / 4 * columns_ + x / 2)] |= kBit[y % 4][x % 2];
  }

  // A character in place of the dots of the cell there; the last one stays.
  void write(double across, double up, char letter) {
    if (!(across >= 0 && across <= 1 && up >= 0 && up <= 1)) return;
    const int x = std::min(static_cast<int>(across * columns_), columns_ - 1);
    const int y = std::min(static_cast<int>((1 - up) * rows_), rows_ - 1);
    letters_[static_cast<size_t>(y * columns_ + x)] = letter;
  }

  std::string row(int number) const {
    std::string out;
    for (int x = 0; x < columns_; ++x) {
      if (const char letter = letters_[static_cast<size_t>(number * columns_ + x)]; letter != 0) {
        out += letter;
        continue;
      }
      const unsigned char bits = cells_[static_cast<size_t>(number * columns_ + x)];
      // U+2800 + bits as UTF-8.
      out += '\xE2';
      out += static_cast<char>(0xA0 + (bits >> 6));
      out += static_cast<char>(0x80 + (bits & 0x3F));
    }
    return out;
  }

 private:
  int columns_;
  int rows_;
  std::vector<unsigned char> cells_;
  std::vector<char> letters_;
};

// The end of an axis, without digits that nobody reads.
std::string end_text(double value) {
  return std::abs(value) < 1000 ? fmt::format("{:.3g}", value) : tick_text(std::round(value));
}

// Letters tell several series apart: one a line, in its middle, and one a labelled point.
class Key {
 public:
  char next(std::string_view name) {
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
    if (used_ == kLetters.size()) return '*';
    const char letter = kLetters[used_++];
    text_ += fmt::format("{}{} {}", text_.empty() ? "" : "  ", letter, name);
    return letter;
  }
  const std::string& text() const { return text_; }

 private:
  size_t used_ = 0;
  std::string text_;
};

double share(double value, Range range, bool logarithmic) {
  if (logarithmic) {
    return value > 0 ? std::log(value / range.low) / std::log(range.high / range.low) : -1;
  }
  return (value - range.low) / (range.high - range.low);
}

}  // namespace

std::string text_plot(const BarChart& chart, const TerminalSize& size) {
  size_t width = 0;
  double largest = 0;
  for (const Row& row : chart.rows) {
    width = std::max(width, letters(row.label));
    if (std::isfinite(row.value)) largest = std::max(largest, row.value);
  }
  const double maximum = chart.maximum.value_or(largest > 0 ? largest : 1);
  const int cells = std::max(10, size.columns - static_cast<int>(width) - 28);
  std::string out = chart.title + "\n";
  for (const Row& row : chart.rows) {
    const std::string pad(width - letters(row.label), ' ');
    out += fmt::format("{}{} ", row.label, pad);
    if (std::isfinite(row.value)) {
      const std::string drawn = bar(row.value / maximum, cells);
      const std::string rest(static_cast<size_t>(cells) + 1 - letters(drawn), ' ');
      out += fmt::format("{}{}{:.{}f} {}", drawn, rest, row.value, chart.decimals, chart.unit);
      if (row.interval) {
        out += fmt::format(" [{:.{}f}, {:.{}f}]", row.interval->low, chart.decimals,
                           row.interval->high, chart.decimals);
      }
    }
    out += "\n";
  }
  return out;
}

std::string text_plot(const XyChart& chart, const TerminalSize& size) {
  const Range x = range_of(chart.x, chart.series, true);
  const Range y = range_of(chart.y, chart.series, false);
  const int columns = std::max(10, size.columns - 10);
  const int rows = std::max(2, size.rows);
  Dots dots(columns, rows);
  for (const Series& series : chart.series) {
    const Point* last = nullptr;
    for (const Point& point : series.points) {
      if (!std::isfinite(point.x) || !std::isfinite(point.y)) continue;
      const Point& from = series.line && last != nullptr ? *last : point;
      const int steps = &from == &point ? 1 : 4 * columns;
      for (int i = 1; i <= steps; ++i) {
        const double part = static_cast<double>(i) / steps;
        dots.mark(share(from.x + part * (point.x - from.x), x, chart.x.logarithmic),
                  share(from.y + part * (point.y - from.y), y, chart.y.logarithmic));
      }
      last = &point;
    }
  }
  Key key;
  const auto letter_at = [&](const Point& point, char letter) {
    dots.write(share(point.x, x, chart.x.logarithmic), share(point.y, y, chart.y.logarithmic),
               letter);
  };
  for (const Series& series : chart.series) {
    if (chart.series.size() < 2) break;
    if (series.points.empty()) continue;
    if (series.line) {
      letter_at(series.points[series.points.size() / 2], key.next(series.name));
      continue;
    }
    const bool labelled = !series.points.front().label.empty();
    const char shared = labelled ? '*' : key.next(series.name);
    for (const Point& point : series.points) {
      letter_at(point, labelled ? key.next(point.label) : shared);
    }
  }
  std::string out = fmt::format("{}\n{}\n", chart.title, chart.y.label);
  for (int row = 0; row < rows; ++row) {
    const bool top = row == 0;
    const bool bottom = row == rows - 1;
    out += fmt::format("{:>8} │{}\n",
                       top      ? end_text(y.high)
                       : bottom ? end_text(y.low)
                                : "",
                       dots.row(row));
  }
  const std::string low = end_text(x.low);
  const std::string high = end_text(x.high);
  const int gap = std::max(1, columns - static_cast<int>(low.size() + high.size()));
  out += fmt::format("{:>10}{}{}{}\n", "", low, std::string(static_cast<size_t>(gap), ' '), high);
  out += fmt::format("{:>10}{}\n", "", chart.x.label);
  return key.text().empty() ? out : out + fmt::format("{:>10}{}\n", "", key.text());
}

}  // namespace tinyarms::plots
