// Charts as SVG: no script, no font, no file from outside. Colours come from the style sheet below,
// which follows the reader's light or dark setting; a page with several pictures needs it once.
#pragma once

#include <string>
#include <string_view>

#include "plots/chart.h"

namespace tinyarms::plots {

// CSS for every picture on a page: `<style>` … `</style>` not included.
std::string_view svg_style();

// Texts are escaped; anything may stand in them.
std::string svg(const BarChart& chart);
std::string svg(const XyChart& chart);

// A file of its own: the same with the style sheet inside.
std::string svg_document(std::string_view picture);

std::string escape_markup(std::string_view text);

}  // namespace tinyarms::plots
