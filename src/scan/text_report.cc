// Findings for people: header, place, code frame, what the fix would do, note and address; or one
// line each.
#include <fmt/format.h>

#include "scan/display.h"
#include "scan/reporter.h"

namespace tinyarms::scan {
namespace {

Tone tone_of(rules::Severity severity) {
  switch (severity) {
    case rules::Severity::Error: return Tone::Red;
    case rules::Severity::Warning: return Tone::Yellow;
    case rules::Severity::Info: return Tone::Blue;
    case rules::Severity::Hint: return Tone::Green;
    case rules::Severity::Off: return Tone::Dim;
  }
  return Tone::Plain;
}

// "   = note: first line", further lines below its text.
std::string remark(std::string_view kind, std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  const std::string indent(kind.size() + 7, ' ');
  std::string shown = fmt::format("    = {}: ", kind);
  for (const char c : harmless(text, true)) {
    shown += c;
    if (c == '\n') shown += indent;
  }
  return shown + "\n";
}

class TextReporter : public Reporter {
 public:
  TextReporter(const ReportOptions& options, const Severities& severities)
      : options_(options), severities_(severities) {}

  std::string render(const FileView& file) const override {
    if (options_.format == ReportFormat::Paths) {
      return file.findings.empty() ? "" : harmless(file.path) + "\n";
    }
    std::string text;
    for (const rules::Finding& finding : file.findings) {
      text += options_.format == ReportFormat::Short ? one_line(file, finding)
                                                     : in_full(file, finding);
    }
    return text;
  }

 private:
  static std::string place(const FileView& file, const rules::Finding& finding) {
    const rules::CharPosition start = file.index.position(finding.range.start);
    return fmt::format("{}:{}:{}", harmless(file.path), start.line + 1, start.column + 1);
  }

  std::string heading(const rules::Finding& finding) const {
    const rules::Severity severity = severities_.of(*finding.rule);
    const std::string kind =
        fmt::format("{}[{}]", rules::severity_name(severity), harmless(finding.rule->id));
    return fmt::format("{}: {}", painted(options_.colours, tone_of(severity), kind),
                       painted(options_.colours, Tone::Bold, harmless(finding.message)));
  }

  std::string one_line(const FileView& file, const rules::Finding& finding) const {
    if (!options_.ad_hoc) return fmt::format("{}: {}\n", place(file, finding), heading(finding));
    const size_t line = file.index.line_of(finding.range.start);
    return fmt::format("{}: {}\n", place(file, finding),
                       harmless(file.index.line(line).substr(0, FrameOptions{}.columns_max)));
  }

  std::string in_full(const FileView& file, const rules::Finding& finding) const {
    std::string text = options_.ad_hoc ? "" : heading(finding) + "\n";
    text += painted(options_.colours, Tone::Blue, "  --> ") + place(file, finding) + "\n";
    const rules::Severity severity = severities_.of(*finding.rule);
    text += code_frame(file.index, finding.range,
                       {.colours = options_.colours, .tone = tone_of(severity)});
    for (const rules::Label& label : finding.labels) {
      if (label.primary && label.range == finding.range && label.message.empty()) continue;
      const rules::CharPosition at = file.index.position(label.range.start);
      if (label.message.empty()) continue;
      text += remark(fmt::format("at {}:{}", at.line + 1, at.column + 1), label.message);
    }
    for (const rules::Fix& fix : finding.fixes) {
      text += fix.title.empty() ? "    = fix:\n" : remark("fix", fix.title);
      text += fix_preview(file.index, fix, options_.colours);
    }
    if (!finding.rule->note.empty()) text += remark("note", finding.rule->note);
    if (!finding.rule->url.empty()) text += remark("see", finding.rule->url);
    return text + "\n";
  }

  ReportOptions options_;
  Severities severities_;
};

}  // namespace

std::unique_ptr<Reporter> make_text_reporter(const ReportOptions& options,
                                             const Severities& severities) {
  return std::make_unique<TextReporter>(options, severities);
}

std::unique_ptr<Reporter> make_reporter(const ReportOptions& options,
                                        const Severities& severities) {
  switch (options.format) {
    case ReportFormat::Text:
    case ReportFormat::Short:
    case ReportFormat::Paths: return make_text_reporter(options, severities);
    case ReportFormat::JsonPretty:
    case ReportFormat::JsonStream:
    case ReportFormat::JsonCompact: return make_json_reporter(options, severities);
    case ReportFormat::Sarif: return make_sarif_reporter(options, severities);
    case ReportFormat::Github: return make_github_reporter(severities);
  }
  return make_text_reporter(options, severities);
}

}  // namespace tinyarms::scan
