// scan_rules: Level 0's rules over files below the roots, or over code that is handed in.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <mutex>

#include "base/utf8.h"
#include "mcp/tools.h"
#include "openai/field_reader.h"
#include "rules/scan.h"
#include "rules/text_index.h"
#include "rules/text_regex.h"
#include "scan/project.h"
#include "scan/scanner.h"
#include "tiers/embedded_rules.h"

namespace tinyarms::mcp {
namespace {

constexpr size_t kCodeMax = 2 << 20;
constexpr size_t kPatternMax = 64 << 10;
constexpr size_t kScannedPaths = 64;
constexpr int64_t kFindingsMax = 1000;
constexpr int64_t kFindingsUsual = 100;
constexpr size_t kSnippetMax = 400;
constexpr size_t kMessageMax = 4 << 10;
constexpr size_t kReplacementMax = 64 << 10;
constexpr size_t kFilesBetweenNews = 200;
const std::vector<std::string> kSeverities = {"hint", "info", "warning", "error"};

struct ScanWish {
  std::vector<std::string> paths;  // absolute
  std::string code;
  const rules::Language* language = nullptr;
  std::string pattern;
  std::string filter;
  rules::Severity least = rules::Severity::Hint;
  size_t limit = kFindingsUsual;
};

Result<ScanWish> wished_scan(const Workshop& shop, const Client& client, const Json& arguments) {
  openai::FieldReader fields(arguments, "");
  ScanWish wish;
  wish.code = fields.text("code").value_or("");
  const std::string language = fields.text("language").value_or("");
  wish.pattern = fields.text("pattern").value_or("");
  wish.filter = fields.text("filter").value_or("");
  const std::string severity = fields.text("severity").value_or("hint");
  std::vector<std::string> paths = fields.texts("paths", kScannedPaths);
  wish.limit =
      static_cast<size_t>(fields.integer("limit", 1, kFindingsMax).value_or(kFindingsUsual));
  if (fields.error()) return *fields.error();
  const auto wrong = [](std::string what, std::string where, std::string hint = "") {
    return Error{ErrorCode::InvalidArgument, std::move(what), std::move(where), std::move(hint)};
  };
  if (!language.empty()) {
    wish.language = rules::find_language(language);
    if (wish.language == nullptr) return wrong("this build does not know it", "language");
  }
  const auto level = std::find(kSeverities.begin(), kSeverities.end(), severity);
  if (level == kSeverities.end()) return wrong("must be hint, info, warning or error", "severity");
  wish.least = static_cast<rules::Severity>(1 + (level - kSeverities.begin()));
  if (wish.pattern.size() > kPatternMax) return wrong("is too long", "pattern");
  if (wish.language == nullptr && (!wish.pattern.empty() || !wish.code.empty())) {
    return wrong("must be given with code or a pattern", "language", "e.g. python");
  }
  if (!wish.code.empty()) {
    if (!paths.empty()) return wrong("give either this or paths", "code");
    auto code = checked_text(std::move(wish.code), "code", kCodeMax);
    if (!code) return code.error();
    wish.code = std::move(*code);
    return wish;
  }
  if (!client.files) return wrong(std::string(kNotForKeys), "paths");
  if (paths.empty()) paths.push_back(".");
  for (const std::string& path : paths) {
    auto there = shop.roots.resolve(path);
    if (!there) return there.error();
    wish.paths.push_back(std::move(*there));
  }
  return wish;
}

// Says nothing: findings are read from the reports themselves.
class MuteReporter final : public scan::Reporter {
 public:
  std::string render(const scan::FileView&) const override { return ""; }
};

std::string in_brief(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  const std::string_view piece = text.substr(0, bytes_max);
  return std::string(piece.substr(0, complete_utf8_prefix(piece))) + "…";
}

OrderedJson fix_json(const rules::Fix& fix, const rules::TextIndex& index) {
  const rules::CharPosition start = index.position(fix.range.start);
  const rules::CharPosition end = index.position(fix.range.end);
  return {{"title", fix.title},       {"line", start.line + 1},   {"column", start.column + 1},
          {"end_line", end.line + 1}, {"end_column", end.column + 1},
          {"replacement", fix.replacement}};
}

// Findings as they come, up to the limit, and how many there were.
class Collected {
 public:
  explicit Collected(const ScanWish& wish) : wish_(wish) {}

  // Of one text.
  void add(const std::string& shown, std::string_view text,
           const std::vector<rules::Finding>& findings) {
    all_ += findings.size();
    const size_t count = std::min(findings.size(), wish_.limit - findings_.size());
    if (count == 0) return;
    const rules::TextIndex index(text);
    for (size_t i = 0; i < count; ++i) add(shown, index, findings[i]);
  }
  void add_unseen(size_t count) { all_ += count; }

  ToolResult result(size_t files, OrderedJson skipped, bool whole) && {
    std::string text;
    for (const OrderedJson& one : findings_) {
      text += fmt::format("{}:{}:{} {} {}: {}\n", one["path"].get<std::string>(),
                          one["line"].get<uint32_t>(), one["column"].get<uint32_t>(),
                          one["severity"].get<std::string>(), one["rule"].get<std::string>(),
                          one["message"].get<std::string>());
    }
    text += fmt::format("{} findings in {} files", all_, files);
    if (all_ > findings_.size()) text += fmt::format("; the first {} are shown", findings_.size());
    if (!skipped.empty()) text += fmt::format("; {} files were not scanned", skipped.size());
    return {{{"findings", std::move(findings_)},
             {"total", all_},
             {"files", files},
             {"skipped", std::move(skipped)},
             {"complete", whole}},
            std::move(text), false};
  }

 private:
  void add(const std::string& shown, const rules::TextIndex& index,
           const rules::Finding& finding) {
    const std::string_view code = index.text().substr(
        finding.range.start, finding.range.end - finding.range.start);
    OrderedJson json = {{"path", shown},
                        {"line", finding.start.line + 1},
                        {"column", finding.start.column + 1},
                        {"end_line", finding.end.line + 1},
                        {"end_column", finding.end.column + 1},
                        {"rule", finding.rule->id},
                        {"severity", rules::severity_name(finding.rule->severity)},
                        {"message", in_brief(finding.message, kMessageMax)},
                        {"note", finding.rule->note},
                        {"code", in_brief(code, kSnippetMax)}};
    // One too long to be read is none to be shown either.
    if (!finding.fixes.empty() && finding.fixes.front().replacement.size() <= kReplacementMax) {
      json["fix"] = fix_json(finding.fixes.front(), index);
    }
    findings_.push_back(std::move(json));
  }

  const ScanWish& wish_;
  OrderedJson findings_ = OrderedJson::array();
  size_t all_ = 0;
};

class ScanTool final : public Tool {
 public:
  ScanTool(Workshop& shop, Errands& errands) : shop_(shop), errands_(errands) {}

  ToolInfo info() const override {
    return {.name = "scan_rules",
            .title = "Scan with code rules",
            .description =
                "Lints code with ast-grep rules in 20 languages: files below this server's folder "
                "(its sgconfig.yml, else the bundled rules), a piece of code, or one pattern such "
                "as `eval($A)`. Tells findings and fixes, changes nothing. No model is asked and "
                "nothing leaves this machine.",
            .input_schema = input(),
            .output_schema = output()};
  }

  void run(const std::shared_ptr<ToolCall>& call, const Json& arguments) override {
    auto wish = wished_scan(shop_, call->client(), arguments);
    if (!wish) return call->finish(ToolResult::failure(wish.error().message()));
    const auto scan = [this, call, held = std::move(*wish)] { scan_for(call, held); };
    or_busy(errands_.submit(call->stop(), scan), call);
  }

 private:
  static OrderedJson input() {
    return object_of(
        {{"paths", list_of(schema_of("string", "A file or folder below the server's folder"),
                           "What to scan (default: all of the folder)")},
         {"code", schema_of("string", "Code to scan instead of files")},
         {"language", schema_of("string", "Of the code or the pattern, e.g. python")},
         {"pattern", schema_of("string", "An ast-grep pattern to search for instead of rules")},
         {"filter", schema_of("string", "A regular expression: only rules whose id has it")},
         {"severity", choice_of(kSeverities, "The least severity that is told")},
         {"limit", number_of("integer", 1, kFindingsMax, "How many findings (default: 100)")}},
        {});
  }

  static OrderedJson output() {
    const OrderedJson line = schema_of("integer", "From 1");
    const OrderedJson fix = object_of(
        {{"title", schema_of("string", "May be empty")}, {"line", line}, {"column", line},
         {"end_line", line}, {"end_column", line},
         {"replacement", schema_of("string", "What the range becomes")}},
        {"line", "column", "end_line", "end_column", "replacement"});
    const OrderedJson finding = object_of(
        {{"path", schema_of("string", "Of the file")}, {"line", line}, {"column", line},
         {"end_line", line}, {"end_column", line},
         {"rule", schema_of("string", "Its id")},
         {"severity", choice_of(kSeverities, "How bad")},
         {"message", schema_of("string", "What is wrong")},
         {"note", schema_of("string", "More about it; may be empty")},
         {"code", schema_of("string", "What was found")},
         {"fix", fix}},
        {"path", "line", "column", "rule", "severity", "message"});
    const OrderedJson skipped = object_of({{"path", schema_of("string", "Of the file")},
                                           {"reason", schema_of("string", "Why")}}, {});
    return object_of({{"findings", list_of(finding, "In the order of paths and lines")},
                      {"total", schema_of("integer", "How many there are in all")},
                      {"files", schema_of("integer", "How many were scanned")},
                      {"skipped", list_of(skipped, "Files that could not be scanned")},
                      {"complete", schema_of("boolean", "Whether all was scanned")}},
                     {"findings", "total", "files", "complete"});
  }

  // The bundled rules are compiled once.
  std::shared_ptr<const rules::RuleSet> bundled() {
    const std::lock_guard lock(mutex_);
    if (!bundled_) {
      bundled_ = std::make_shared<const rules::RuleSet>(
          rules::RuleSet::load(tiers::bundled_rule_sources()));
    }
    return bundled_;
  }

  struct Chosen {
    std::shared_ptr<const rules::RuleSet> rules;
    std::optional<scan::Project> project;
    std::vector<rules::Severity> severities;
  };

  Result<Chosen> choose(const ScanWish& wish) {
    Chosen chosen;
    const std::filesystem::path project_file =
        shop_.roots.folders().empty() || wish.paths.empty()
            ? std::filesystem::path()
            : std::filesystem::path(shop_.roots.folders().front()) / scan::kProjectFile;
    std::error_code problem;
    if (!wish.pattern.empty()) {
      auto rules = rules::RuleSet::of_pattern({.pattern = wish.pattern,
                                               .language = std::string(wish.language->name),
                                               .selector = {},
                                               .strictness = {},
                                               .rewrite = {}});
      if (!rules) return rules.error();
      chosen.rules = std::make_shared<const rules::RuleSet>(std::move(*rules));
    } else if (!project_file.empty() && std::filesystem::exists(project_file, problem)) {
      auto project = scan::read_project(project_file);
      if (!project) return project.error();
      auto sources = scan::read_rule_sources(*project);
      if (!sources) return sources.error();
      chosen.project = std::move(*project);
      chosen.rules =
          std::make_shared<const rules::RuleSet>(rules::RuleSet::load(*sources));
    } else {
      chosen.rules = bundled();
    }
    auto wanted = rules::TextRegex::compile(wish.filter);
    if (!wanted) return wanted.error();
    for (const rules::RuleInfo& rule : chosen.rules->rules()) {
      const bool on = rule.severity >= wish.least &&
                      (wish.filter.empty() || wanted->matches(rule.id));
      chosen.severities.push_back(on ? rule.severity : rules::Severity::Off);
    }
    return chosen;
  }

  void scan_for(const std::shared_ptr<ToolCall>& call, const ScanWish& wish) {
    auto chosen = choose(wish);
    if (!chosen) return call->finish(ToolResult::failure(chosen.error().message()));
    call->finish(wish.code.empty() ? scan_files(*call, wish, *chosen) : scan_code(wish, *chosen));
  }

  static ToolResult scan_code(const ScanWish& wish, const Chosen& chosen) {
    rules::Scratch scratch;
    rules::ScanResult result = rules::scan(*chosen.rules, wish.code,
                                           {.path = {},
                                            .language = wish.language,
                                            .severities = chosen.severities,
                                            .findings_max = wish.limit},
                                           scratch);
    if (result.outcome == rules::ScanResult::Outcome::InvalidText) {
      return ToolResult::failure("code: is not UTF-8");
    }
    std::stable_sort(result.findings.begin(), result.findings.end(),
                     [](const rules::Finding& a, const rules::Finding& b) {
                       return a.range.start < b.range.start;
                     });
    Collected collected(wish);
    collected.add("code", wish.code, result.findings);
    collected.add_unseen(result.more);
    const bool whole = result.outcome != rules::ScanResult::Outcome::GaveUp;
    return std::move(collected).result(1, OrderedJson::array(), whole);
  }

  ToolResult scan_files(ToolCall& call, const ScanWish& wish, const Chosen& chosen) const {
    scan::ScanRequest request;
    request.walk.paths = wish.paths;
    request.severities = chosen.severities;
    request.keep = true;
    if (chosen.project) {
      request.languages = chosen.project->languages;
      request.project_root = chosen.project->root.string();
    }
    const MuteReporter mute;
    const scan::Scanner scanner(*chosen.rules, mute, request);
    Collected collected(wish);
    size_t seen = 0;
    const auto emit = [&](scan::FileReport& report) {
      if (++seen % kFilesBetweenNews == 0) {
        call.progress(static_cast<double>(seen), fmt::format("{} files scanned", seen));
      }
      if (!report.kept) return;
      collected.add(shop_.roots.shown(report.path), report.kept->source.text,
                    report.kept->findings);
    };
    auto totals = scanner.run(process_environment(), *call.stop(), emit);
    if (!totals) return ToolResult::failure(totals.error().message());
    OrderedJson skipped = OrderedJson::array();
    for (const auto& [path, skip] : totals->skipped) {
      if (skipped.size() >= wish.limit) break;
      skipped.push_back({{"path", shop_.roots.shown(path)},
                         {"reason", scan::skip_reason_name(skip.reason)}});
    }
    return std::move(collected).result(totals->files, std::move(skipped),
                                       !totals->incomplete && !totals->interrupted);
  }

  Workshop& shop_;
  Errands& errands_;
  std::mutex mutex_;
  std::shared_ptr<const rules::RuleSet> bundled_;
};

}  // namespace

std::unique_ptr<Tool> make_scan_tool(Workshop& shop, Errands& errands) {
  return std::make_unique<ScanTool>(shop, errands);
}

}  // namespace tinyarms::mcp
