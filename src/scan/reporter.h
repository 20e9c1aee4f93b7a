// The forms in which findings are told: for people, for programs (ast-grep's JSON), for code review
// (SARIF 2.1.0) and for GitHub's log. render() is const and called from any thread; the pieces are
// put together in order: begin, the files' with separator() between those that are not empty, end.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rules/rule_set.h"
#include "rules/text_index.h"

namespace tinyarms::scan {

enum class ReportFormat { Text, Short, JsonPretty, JsonStream, JsonCompact, Sarif, Github, Paths };

struct ReportOptions {
  ReportFormat format = ReportFormat::Text;
  bool colours = false;
  bool metadata = false;  // JSON: each finding with its rule's metadata
  bool ad_hoc = false;    // the one rule is a pattern from the command line: nothing to say of it
  std::string version;    // of the tool, for SARIF
};

// What was found in one file.
struct FileView {
  std::string_view path;
  const rules::Language& language;
  const rules::TextIndex& index;
  std::span<const rules::Finding> findings;
};

class Reporter {
 public:
  virtual ~Reporter() = default;
  virtual std::string begin() const { return ""; }
  virtual std::string render(const FileView& file) const = 0;
  virtual std::string separator() const { return ""; }
  virtual std::string end() const { return ""; }
};

// The severity in force for a rule: that of `overrides` (in the order of the rules), where given.
class Severities {
 public:
  Severities(std::span<const rules::RuleInfo> rules, std::span<const rules::Severity> overrides)
      : rules_(rules), overrides_(overrides) {}
  rules::Severity of(const rules::RuleInfo& rule) const {
    if (overrides_.empty()) return rule.severity;
    return overrides_[static_cast<size_t>(&rule - rules_.data())];
  }
  std::span<const rules::RuleInfo> rules() const { return rules_; }

 private:
  std::span<const rules::RuleInfo> rules_;
  std::span<const rules::Severity> overrides_;
};

// `severities` and what it looks at must outlive the reporter.
std::unique_ptr<Reporter> make_reporter(const ReportOptions& options,
                                        const Severities& severities);

// The parts of make_reporter(), one file each.
std::unique_ptr<Reporter> make_text_reporter(const ReportOptions& options,
                                             const Severities& severities);
std::unique_ptr<Reporter> make_json_reporter(const ReportOptions& options,
                                             const Severities& severities);
std::unique_ptr<Reporter> make_sarif_reporter(const ReportOptions& options,
                                              const Severities& severities);
std::unique_ptr<Reporter> make_github_reporter(const Severities& severities);

}  // namespace tinyarms::scan
