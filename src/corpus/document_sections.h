// The sections of a document by its headings: Markdown's (# and underlined; CommonMark 0.31, not
// inside fenced code) and reStructuredText's (underlined, with or without a line above).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "corpus/line_table.h"

namespace tinyarms::corpus {

struct DocumentSection {
  uint32_t first_line = 0;  // of the heading; what comes before the first one is a section too
  uint32_t last_line = 0;
  std::string title;  // with those of the sections it stands in: "Install > Linux"
};

// In order, covering all lines; empty for an empty text.
std::vector<DocumentSection> document_sections(const LineTable& lines, std::string_view language);

}  // namespace tinyarms::corpus
