// What a picture shows, apart from how it is drawn: rows of bars, or points in a plane. Values that
// are not finite are left out by every renderer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::plots {

struct Range {
  double low = 0;
  double high = 1;
};

struct Row {
  std::string label;
  double value = 0;
  std::optional<Range> interval = {};  // drawn as whiskers
  std::string note = {};               // after the value, in small print
  int colour = 0;                      // which of the palette; rows that belong together share one
};

// Horizontal bars, in the order given.
struct BarChart {
  std::string title;
  std::string unit;  // "%", "MB": after each value
  std::vector<Row> rows;
  std::optional<double> maximum = {};  // of the axis; else from the rows
  int decimals = 1;
};

struct Point {
  double x = 0;
  double y = 0;
  std::optional<Range> y_interval = {};
  std::string label = {};
};

struct Series {
  std::string name;
  std::vector<Point> points;
  bool line = true;  // else dots
};

struct Axis {
  std::string label;
  std::optional<Range> range = {};  // else from the points
  bool logarithmic = false;         // for positive values only
};

struct XyChart {
  std::string title;
  Axis x;
  Axis y;
  std::vector<Series> series;
  bool diagonal = false;  // the line y = x, where forecast and outcome agree
};

// Round numbers that cover the range, at most about `count` of them.
std::vector<double> ticks(Range range, int count);
// Powers of ten, and 2 and 5 between them where those are few.
std::vector<double> logarithmic_ticks(Range range);
// "0.25", "1e-05", "12,000" without needless digits.
std::string tick_text(double value);

// Characters of UTF-8, each taken for one cell.
size_t letters(std::string_view text);

// Of all finite points, widened where it would be empty, 5 % of room at the ends.
Range range_of(const Axis& axis, const std::vector<Series>& series, bool horizontal);

}  // namespace tinyarms::plots
