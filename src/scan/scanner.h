// Rules over a tree of files: walk, read, match, render and (where asked) fix, on several threads,
// told in the order of the paths.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "base/stop_flag.h"
#include "rules/rule_set.h"
#include "rules/scan.h"
#include "scan/fixer.h"
#include "scan/reporter.h"
#include "scan/walker.h"

namespace tinyarms::scan {

struct ScanRequest {
  WalkOptions walk;
  std::vector<rules::Severity> severities;  // as in rules::ScanOptions
  FileLanguages languages;
  // Rules' files and ignores are relative to this folder; empty: to the current one.
  std::string project_root;
  uint64_t file_bytes_max = kSourceBytesMax;
  bool fix = false;       // apply the first fix of every finding
  bool keep = false;      // reports keep text and findings (they cost memory until emitted)
  bool details = true;    // messages, captures, labels and fixes are needed
};

struct Totals {
  size_t files = 0;  // scanned
  size_t findings = 0;
  size_t files_with_findings = 0;
  std::array<size_t, 5> by_severity{};  // indexed by rules::Severity
  size_t fixes_applied = 0;
  size_t files_fixed = 0;
  size_t fixes_refused = 0;  // files in which a fix was left out or could not be written
  std::vector<std::pair<std::string, Skip>> skipped;
  bool incomplete = false;  // something was not scanned that should have been
  bool interrupted = false;
};

class Scanner {
 public:
  // All must outlive the scanner.
  Scanner(const rules::RuleSet& rules, const Reporter& reporter, const ScanRequest& request);

  // `emit` gets the reports in order, one at a time; those of files without anything to tell too.
  // Errors: those of walk().
  Result<Totals> run(const Environment& environment, const StopFlag& stop,
                     const std::function<void(FileReport&)>& emit) const;

  // One text that is no file, e.g. standard input.
  FileReport scan_text(std::string_view name, std::string text,
                       const rules::Language& language) const;

 private:
  const rules::Language* wanted_language(std::string_view path) const;
  FileReport visit(rules::Scratch& scratch, const WalkedFile& file) const;
  void match(rules::Scratch& scratch, FileFindings& file, FileReport& report) const;
  FixedText fixed(const FileFindings& file, FileReport& report) const;
  void fix(rules::Scratch& scratch, FileFindings& file, FileReport& report) const;
  void tell(const FileFindings& file, FileReport& report) const;
  std::string relative_path(std::string_view path) const;

  const rules::RuleSet& rules_;
  const Reporter& reporter_;
  const ScanRequest& request_;
  Severities severities_;
  std::vector<const rules::Language*> languages_;  // those with a rule that is on
  std::string prefix_;  // from the project's root to the current folder: "sub/" or ""
};

void add_to(Totals& totals, const FileReport& report);

}  // namespace tinyarms::scan
