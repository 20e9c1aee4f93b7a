// What a scan has to tell of one file, ready to be printed: reports come in the order of paths
// while other files are still being read.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rules/finding.h"
#include "scan/source_file.h"

namespace tinyarms::scan {

// A file's text with what was found in it, kept where someone will be asked about it.
struct FileFindings {
  std::string path;
  const rules::Language* language = nullptr;
  SourceFile source;
  std::vector<rules::Finding> findings;  // in document order
};

struct FileReport {
  std::string path;
  std::optional<Skip> skip;
  std::string rendered;                // by the reporter
  std::array<size_t, 5> by_severity{};  // indexed by rules::Severity
  size_t findings = 0;
  size_t fixes_applied = 0;
  std::vector<std::string> notices;    // overlapping fixes, fixes rolled back, odd ignore files
  std::string fixed_text;              // of a text that is no file, where fixes were asked for
  bool fix_failed = false;             // a fix was refused or could not be written
  bool scanned = false;
  std::unique_ptr<FileFindings> kept;
};

}  // namespace tinyarms::scan
