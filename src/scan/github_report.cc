// Workflow commands that GitHub turns into annotations of a pull request. As in ast-grep, hints are
// left out: GitHub shows a handful of annotations only.
#include <fmt/format.h>

#include "scan/reporter.h"

namespace tinyarms::scan {
namespace {

std::string_view command_of(rules::Severity severity) {
  switch (severity) {
    case rules::Severity::Error: return "error";
    case rules::Severity::Warning: return "warning";
    case rules::Severity::Info: return "notice";
    case rules::Severity::Hint:
    case rules::Severity::Off: return "";
  }
  return "";
}

// Messages come from rules and code: unescaped, a newline would begin another command.
std::string escaped(std::string_view text, bool property) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '%': safe += "%25"; break;
      case '\r': safe += "%0D"; break;
      case '\n': safe += "%0A"; break;
      case ':': safe += property ? "%3A" : ":"; break;
      case ',': safe += property ? "%2C" : ","; break;
      default: safe += c; break;
    }
  }
  return safe;
}

class GithubReporter : public Reporter {
 public:
  explicit GithubReporter(const Severities& severities) : severities_(severities) {}

  std::string render(const FileView& file) const override {
    std::string text;
    for (const rules::Finding& finding : file.findings) {
      const std::string_view command = command_of(severities_.of(*finding.rule));
      if (command.empty()) continue;
      const rules::CharPosition start = file.index.position(finding.range.start);
      const rules::CharPosition end = file.index.position(finding.range.end);
      text += fmt::format("::{} file={},line={},endLine={},title={}::{}\n", command,
                          escaped(file.path, true), start.line + 1, end.line + 1,
                          escaped(finding.rule->id, true), escaped(finding.message, false));
    }
    return text;
  }

 private:
  Severities severities_;
};

}  // namespace

std::unique_ptr<Reporter> make_github_reporter(const Severities& severities) {
  return std::make_unique<GithubReporter>(severities);
}

}  // namespace tinyarms::scan
