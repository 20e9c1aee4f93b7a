// Applies fixes to one file: in memory first, then the whole file at once or not at all.
//
// Overlaps are refused as ast-grep refuses them: fixes go by the start of their finding, then by
// the order of the rules; one that begins before the last one applied ends is left out and named.
// Line ends and a byte order mark stay what they are. Code that parsed before must parse after:
// fixes that break it are found, left out and named.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/finding.h"
#include "scan/file_report.h"

namespace tinyarms::scan {

// One fix to apply, and the finding it belongs to.
struct ChosenFix {
  const rules::Finding* finding;
  const rules::Fix* fix;
};

// The first fix of every finding that has one.
std::vector<ChosenFix> first_fixes(std::span<const rules::Finding> findings);

struct FixedText {
  std::string text;
  size_t applied = 0;
  std::vector<std::string> overlapping;  // left out: "no-eval at 3:1 overlaps another fix"
  std::vector<std::string> rolled_back;  // left out: "no-eval at 3:1 would leave …"
};

FixedText apply_fixes(const FileFindings& file, std::vector<ChosenFix> fixes);

// Whether `after` has syntax errors where `before` had none. False where nobody can tell.
bool breaks_syntax(std::string_view before, std::string_view after,
                   const rules::Language& language);

// Puts the text in place of the file, following links, keeping its mode.
// Errors: Unavailable (the file is not the one that was scanned any more), Io.
Result<void> replace_file(const std::string& path, std::string_view text,
                          const FileStamp& expected);

}  // namespace tinyarms::scan
