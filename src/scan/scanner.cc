#include "scan/scanner.h"

#include <algorithm>
#include <filesystem>
namespace tinyarms::scan {
namespace {

namespace fs = std::filesystem;

// "sub/" where the current folder is `sub` of the project, "" where it is the project itself or
// lies outside of it.
std::string prefix_of(const std::string& project_root) {
  if (project_root.empty()) return "";
  std::error_code problem;
  const fs::path here = fs::current_path(problem);
  const fs::path root = fs::weakly_canonical(project_root, problem);
  const std::string relative = here.lexically_relative(root).generic_string();
  if (relative.empty() || relative == "." || relative.substr(0, 2) == "..") return "";
  return relative + "/";
}

void sort_findings(std::vector<rules::Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const rules::Finding& a, const rules::Finding& b) {
                     if (a.range.start != b.range.start) return a.range.start < b.range.start;
                     return a.range.end > b.range.end;
                   });
}

}  // namespace

Scanner::Scanner(const rules::RuleSet& rules, const Reporter& reporter, const ScanRequest& request)
    : rules_(rules),
      reporter_(reporter),
      request_(request),
      severities_(rules.rules(), request.severities),
      prefix_(prefix_of(request.project_root)) {
  for (const rules::RuleInfo& rule : rules.rules()) {
    if (severities_.of(rule) != rules::Severity::Off) languages_.push_back(rule.language);
  }
  std::sort(languages_.begin(), languages_.end());
  languages_.erase(std::unique(languages_.begin(), languages_.end()), languages_.end());
}

const rules::Language* Scanner::wanted_language(std::string_view path) const {
  const rules::Language* language = request_.languages.of(path);
  const bool wanted = std::binary_search(languages_.begin(), languages_.end(), language);
  return wanted ? language : nullptr;
}

// What rules' globs see: the path from the project's root.
std::string Scanner::relative_path(std::string_view path) const {
  if (path.substr(0, 1) != "/" && path.substr(0, 2) != "..") return prefix_ + std::string(path);
  std::error_code problem;
  const fs::path root = request_.project_root.empty() ? fs::current_path(problem)
                                                      : fs::path(request_.project_root);
  const fs::path relative = fs::weakly_canonical(path, problem)
                                .lexically_relative(fs::weakly_canonical(root, problem));
  const std::string text = relative.generic_string();
  return text.empty() || text.substr(0, 2) == ".." ? std::string(path) : text;
}

void Scanner::match(rules::Scratch& scratch, FileFindings& file, FileReport& report) const {
  const std::string relative = relative_path(file.path);
  rules::ScanResult result = rules::scan(rules_, file.source.text,
                                         {.path = relative,
                                          .language = file.language,
                                          .severities = request_.severities,
                                          .details = request_.details,
                                          .bytes_max = request_.file_bytes_max},
                                         scratch);
  report.scanned = true;
  switch (result.outcome) {
    case rules::ScanResult::Outcome::Scanned:
    case rules::ScanResult::Outcome::Unneeded:
    case rules::ScanResult::Outcome::NoLanguage: break;
    case rules::ScanResult::Outcome::TooLarge: report.skip = Skip{SkipReason::TooLarge, ""}; break;
    case rules::ScanResult::Outcome::InvalidText:
      report.skip = Skip{SkipReason::NotUtf8, ""};
      break;
    case rules::ScanResult::Outcome::GaveUp:
      report.skip = Skip{SkipReason::TooCostly, "findings may be missing"};
      break;
  }
  file.findings = std::move(result.findings);
  sort_findings(file.findings);
}

void Scanner::tell(const FileFindings& file, FileReport& report) const {
  report.findings = file.findings.size();
  if (file.findings.empty()) return;
  for (const rules::Finding& finding : file.findings) {
    ++report.by_severity[static_cast<size_t>(severities_.of(*finding.rule))];
  }
  const rules::TextIndex index(file.source.text);
  report.rendered = reporter_.render({.path = file.path,
                                      .language = *file.language,
                                      .index = index,
                                      .findings = file.findings});
}

FixedText Scanner::fixed(const FileFindings& file, FileReport& report) const {
  FixedText fixed = apply_fixes(file, first_fixes(file.findings));
  for (const std::vector<std::string>* list : {&fixed.overlapping, &fixed.rolled_back}) {
    for (const std::string& entry : *list) report.notices.push_back("not fixed: " + entry);
    report.fix_failed = report.fix_failed || !list->empty();
  }
  return fixed;
}

// What is told afterwards is what the fixed text still holds, at its place there.
void Scanner::fix(rules::Scratch& scratch, FileFindings& file, FileReport& report) const {
  FixedText result = fixed(file, report);
  if (result.applied == 0) return;
  if (result.text != file.source.text) {
    if (auto written = replace_file(file.path, result.text, file.source.stamp); !written) {
      report.notices.push_back("not fixed: " + written.error().message());
      report.fix_failed = true;
      return;
    }
  }
  report.fixes_applied = result.applied;
  file.source.text = std::move(result.text);
  match(scratch, file, report);
}

FileReport Scanner::visit(rules::Scratch& scratch, const WalkedFile& walked) const {
  auto file = std::make_unique<FileFindings>();
  file->path = walked.path;
  file->language = walked.language;
  FileReport report;
  report.path = walked.path;
  report.skip = read_source(walked.path, request_.file_bytes_max, file->source);
  if (report.skip) return report;
  match(scratch, *file, report);
  if (request_.fix && !file->findings.empty()) fix(scratch, *file, report);
  tell(*file, report);
  if (request_.keep && !file->findings.empty()) report.kept = std::move(file);
  return report;
}

FileReport Scanner::scan_text(std::string_view name, std::string text,
                              const rules::Language& language) const {
  FileReport report;
  report.path = name;
  report.skip = check_source(text);
  if (report.skip) return report;
  FileFindings file{.path = report.path, .language = &language, .source = {std::move(text), {}},
                    .findings = {}};
  rules::Scratch scratch;
  match(scratch, file, report);
  if (request_.fix) {
    FixedText result = fixed(file, report);
    report.fixes_applied = result.applied;
    report.fixed_text = result.text;
    file.source.text = std::move(result.text);
    match(scratch, file, report);
  }
  tell(file, report);
  return report;
}

void add_to(Totals& totals, const FileReport& report) {
  totals.files += report.scanned ? 1 : 0;
  totals.findings += report.findings;
  totals.files_with_findings += report.findings > 0 ? 1 : 0;
  for (size_t i = 0; i < report.by_severity.size(); ++i) {
    totals.by_severity[i] += report.by_severity[i];
  }
  totals.fixes_applied += report.fixes_applied;
  totals.files_fixed += report.fixes_applied > 0 ? 1 : 0;
  totals.fixes_refused += report.fix_failed ? 1 : 0;
  if (!report.skip) return;
  totals.skipped.emplace_back(report.path, *report.skip);
  totals.incomplete = totals.incomplete || is_incomplete(report.skip->reason);
}

Result<Totals> Scanner::run(const Environment& environment, const StopFlag& stop,
                            const std::function<void(FileReport&)>& emit) const {
  std::vector<rules::Scratch> scratches(std::max(1u, request_.walk.threads));
  Totals totals;
  const WalkCallbacks callbacks{
      .language_of = [this](std::string_view path) { return wanted_language(path); },
      .visit = [&](unsigned worker,
                   const WalkedFile& file) { return visit(scratches[worker], file); },
      .emit =
          [&](FileReport& report) {
            add_to(totals, report);
            emit(report);
          }};
  if (auto walked = walk(request_.walk, environment, callbacks, stop); !walked) {
    return walked.error();
  }
  totals.interrupted = stop.raised();
  return totals;
}

}  // namespace tinyarms::scan
