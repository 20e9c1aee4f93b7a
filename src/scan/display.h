// Code as a person may see it on a terminal: control characters made visible (no source file shall
// send escape sequences), tabs as four spaces, long lines cut to a window, carets under a match.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/finding.h"
#include "rules/text_index.h"

namespace tinyarms::scan {

enum class Tone { Plain, Bold, Dim, Red, Yellow, Green, Blue };

// `text` in a colour, or as it is.
std::string painted(bool colours, Tone tone, std::string_view text);

// Without anything that a terminal would act on; newlines too become visible unless `lines`.
std::string harmless(std::string_view text, bool lines = false);

struct FrameOptions {
  bool colours = false;
  Tone tone = Tone::Red;        // of the carets
  size_t lines_max = 6;         // of a longer match the first and last are shown
  size_t columns_max = 160;     // of a line
};

// The lines of `range`, numbered, with carets below:
//    3 | eval(a)
//      | ^^^^^^^
std::string code_frame(const rules::TextIndex& index, rules::ByteRange range,
                       const FrameOptions& options);

// What a fix does to its lines, as a diff without context:
//    3 - eval(a)
//    3 + safe(a)
std::string fix_preview(const rules::TextIndex& index, const rules::Fix& fix, bool colours);

}  // namespace tinyarms::scan
