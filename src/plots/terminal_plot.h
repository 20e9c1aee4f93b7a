// Charts for a terminal: bars of block characters, planes of braille dots. Plain UTF-8 text
// without escape sequences.
#pragma once

#include <string>

#include "plots/chart.h"

namespace tinyarms::plots {

struct TerminalSize {
  int columns = 72;
  int rows = 16;  // of a plane
};

// A line a row: label, bar with its interval as ├─┤, value.
std::string text_plot(const BarChart& chart, const TerminalSize& size = {});
// All series in one plane; lines are drawn through their points.
std::string text_plot(const XyChart& chart, const TerminalSize& size = {});

}  // namespace tinyarms::plots
