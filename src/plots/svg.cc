#include "plots/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tinyarms::plots {
namespace {

constexpr int kColours = 6;
constexpr double kLetter = 6.6;  // width of a letter at 12 px, on the safe side

// Colours after Okabe & Ito (2008), which people with any colour vision can tell apart.
constexpr std::string_view kStyle = R"(
.plot{max-width:100%;height:auto;font:12px system-ui,sans-serif}
.plot text{fill:var(--plot-text)} .plot .title{font-weight:600;font-size:14px}
.plot .small{font-size:11px;fill:var(--plot-faint)}
.plot .grid{stroke:var(--plot-grid)} .plot .axis{stroke:var(--plot-faint)}
.plot .whisker{stroke:var(--plot-text);stroke-width:1.5;fill:none}
.plot .diagonal{stroke:var(--plot-faint);stroke-dasharray:4 4}
.plot .line{fill:none;stroke-width:2}
.c0{--c:#0072b2}.c1{--c:#d55e00}.c2{--c:#009e73}.c3{--c:#b07aa1}.c4{--c:#c48a00}.c5{--c:#56b4e9}
.plot .fill{fill:var(--c)} .plot .stroke{stroke:var(--c)}
:root{--plot-text:#1b1f24;--plot-faint:#5c6670;--plot-grid:#dfe3e8}
@media (prefers-color-scheme:dark){
:root{--plot-text:#e6e9ec;--plot-faint:#9aa4ae;--plot-grid:#343b43}
.c0{--c:#4ba3dc}.c1{--c:#f08a4b}.c2{--c:#2fc59b}.c3{--c:#d3a6cd}.c4{--c:#e6b93c}.c5{--c:#8fd0f5}}
)";

struct Place {
  double x = 0;
  double y = 0;
};

std::string text_at(Place place, const char* style, const char* anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\" text-anchor=\"{}\">{}</text>\n",
                     place.x, place.y, style, anchor, escape_markup(text));
}

std::string line_from(Place from, Place to, std::string_view style) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", from.x,
      from.y, to.x, to.y, style);
}

std::string open_picture(double width, double height, std::string_view title) {
  return fmt::format(
      "<svg class=\"plot\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "role=\"img\" aria-label=\"{2}\" xmlns=\"http://www.w3.org/2000/svg\">\n",
      width, height, escape_markup(title));
}

double text_width(std::string_view text) { return kLetter * static_cast<double>(letters(text)); }

// The plane of an XY chart: values to places.
struct Plane {
  const XyChart& chart;
  Range x;
  Range y;
  double left = 64;
  double right = 470;
  double top = 34;
  double bottom = 292;

  static double share(double value, Range range, bool logarithmic) {
    if (logarithmic) return std::log(value / range.low) / std::log(range.high / range.low);
    return (value - range.low) / (range.high - range.low);
  }
  double across(double value) const {
    return left + (right - left) * share(value, x, chart.x.logarithmic);
  }
  double up(double value) const {
    return bottom - (bottom - top) * share(value, y, chart.y.logarithmic);
  }
  bool shows(const Point& point) const {
    return std::isfinite(point.x) && std::isfinite(point.y) &&
           (!chart.x.logarithmic || point.x > 0) && (!chart.y.logarithmic || point.y > 0);
  }
};

std::string draw_axes(const Plane& plane) {
  std::string out;
  const auto& [x, y] = std::pair{plane.chart.x, plane.chart.y};
  for (const double tick : x.logarithmic ? logarithmic_ticks(plane.x) : ticks(plane.x, 6)) {
    const double at = plane.across(tick);
    out += line_from({at, plane.top}, {at, plane.bottom}, "grid");
    out += text_at({at, plane.bottom + 16}, "small", "middle", tick_text(tick));
  }
  for (const double tick : y.logarithmic ? logarithmic_ticks(plane.y) : ticks(plane.y, 6)) {
    const double at = plane.up(tick);
    out += line_from({plane.left, at}, {plane.right, at}, "grid");
    out += text_at({plane.left - 6, at + 4}, "small", "end", tick_text(tick));
  }
  out += line_from({plane.left, plane.bottom}, {plane.right, plane.bottom}, "axis");
  out += line_from({plane.left, plane.top}, {plane.left, plane.bottom}, "axis");
  out += text_at({(plane.left + plane.right) / 2, plane.bottom + 34}, "", "middle", x.label);
  const double middle = (plane.top + plane.bottom) / 2;
  out += fmt::format(
      "<text x=\"14\" y=\"{0:.1f}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {0:.1f})\">"
      "{1}</text>\n",
      middle, escape_markup(y.label));
  return out;
}

std::string draw_series(const Plane& plane, const Series& series, int colour) {
  std::string path;
  std::string marks;
  for (const Point& point : series.points) {
    if (!plane.shows(point)) continue;
    const Place at{plane.across(point.x), plane.up(point.y)};
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", at.x, at.y);
    if (point.y_interval && std::isfinite(point.y_interval->low) &&
        std::isfinite(point.y_interval->high)) {
      marks += line_from({at.x, plane.up(point.y_interval->low)},
                         {at.x, plane.up(point.y_interval->high)}, "whisker");
    }
    if (!series.line || series.points.size() <= 12) {
      marks += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" class=\"fill\"/>\n", at.x,
                           at.y);
    }
    if (!point.label.empty()) {
      // On the side where there is more room.
      const bool right = at.x < (plane.left + plane.right) / 2;
      marks += text_at({at.x + (right ? 8 : -8), at.y - 6}, "small", right ? "start" : "end",
                       point.label);
    }
  }
  std::string out = fmt::format("<g class=\"c{}\">\n", colour % kColours);
  if (series.line && !path.empty()) {
    out += fmt::format("<path d=\"{}\" class=\"line stroke\"/>\n", path);
  }
  return out + marks + "</g>\n";
}

std::string draw_legend(const Plane& plane, double top) {
  std::string out;
  int colour = 0;
  for (const Series& series : plane.chart.series) {
    out += fmt::format("<g class=\"c{}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"12\" "
                       "height=\"12\" rx=\"2\" class=\"fill\"/></g>\n",
                       colour++ % kColours, plane.left, top - 10);
    out += text_at({plane.left + 18, top}, "", "start", series.name);
    top += 18;
  }
  return out;
}

}  // namespace

std::string_view svg_style() { return kStyle; }

std::string escape_markup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::string svg_document(std::string_view picture) {
  const size_t end = picture.find('>');
  std::string out(picture.substr(0, end + 1));
  return out + "<style>" + std::string(kStyle) + "</style>" + std::string(picture.substr(end + 1));
}

std::string svg(const BarChart& chart) {
  double label_width = 0;
  double largest = 0;
  for (const Row& row : chart.rows) {
    label_width = std::max(label_width, text_width(row.label));
    if (std::isfinite(row.value)) largest = std::max(largest, row.value);
    if (row.interval) largest = std::max(largest, row.interval->high);
  }
  const double maximum = chart.maximum.value_or(largest > 0 ? largest : 1);
  const double left = std::min(label_width, 320.0) + 16;
  const double bars = 300;
  const double step = 26;
  const double width = left + bars + 200;
  const double height = 40 + step * static_cast<double>(chart.rows.size()) + 8;
  std::string out = open_picture(width, height, chart.title);
  out += text_at({8, 20}, "title", "start", chart.title);
  double y = 40;
  for (const Row& row : chart.rows) {
    const double middle = y + step / 2 - 3;
    out += text_at({left - 8, middle + 4}, "", "end", row.label);
    if (std::isfinite(row.value)) {
      const auto at = [&](double value) {
        return left + bars * std::clamp(value / maximum, 0.0, 1.0);
      };
      out += fmt::format("<g class=\"c{}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
                         "height=\"{:.1f}\" rx=\"2\" class=\"fill\"/></g>\n",
                         row.colour % kColours, left, y, std::max(1.0, at(row.value) - left),
                         step - 8);
      double end = at(row.value);
      if (row.interval) {
        const double low = at(row.interval->low);
        const double high = at(row.interval->high);
        end = std::max(end, high);
        out += line_from({low, middle}, {high, middle}, "whisker");
        out += line_from({low, middle - 4}, {low, middle + 4}, "whisker");
        out += line_from({high, middle - 4}, {high, middle + 4}, "whisker");
      }
      out += text_at({end + 8, middle + 4}, "", "start",
                     fmt::format("{:.{}f} {}  {}", row.value, chart.decimals, chart.unit,
                                 row.note));
    }
    y += step;
  }
  out += line_from({left, 36}, {left, y}, "axis");
  return out + "</svg>\n";
}

std::string svg(const XyChart& chart) {
  const Plane plane{.chart = chart,
                    .x = range_of(chart.x, chart.series, true),
                    .y = range_of(chart.y, chart.series, false)};
  const bool legend = chart.series.size() > 1 || (!chart.series.empty() && chart.series[0].line);
  const double legend_top = plane.bottom + 58;
  const double height =
      legend ? legend_top + 18 * static_cast<double>(chart.series.size()) : plane.bottom + 48;
  std::string out = open_picture(500, height, chart.title);
  out += text_at({8, 20}, "title", "start", chart.title);
  out += draw_axes(plane);
  if (chart.diagonal) {
    const double low = std::max(plane.x.low, plane.y.low);
    const double high = std::min(plane.x.high, plane.y.high);
    out += line_from({plane.across(low), plane.up(low)}, {plane.across(high), plane.up(high)},
                     "diagonal");
  }
  int colour = 0;
  for (const Series& series : chart.series) out += draw_series(plane, series, colour++);
  if (legend) out += draw_legend(plane, legend_top);
  return out + "</svg>\n";
}

}  // namespace tinyarms::plots
