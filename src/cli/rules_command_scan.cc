// tinyarms rules scan: findings in files, and their fixes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iterator>
#include <memory>
#include <thread>

#include "cli/build_info.h"
#include "cli/rules_command.h"
#include "cli/rules_command_fix.h"
#include "scan/query_dump.h"
#include "scan/scanner.h"

namespace tinyarms::cli {
namespace {

using scan::ReportFormat;

struct ScanCommand {
  RuleChoice choice;
  scan::ScanRequest request;
  std::string pattern;
  std::string language;
  std::optional<std::string> rewrite;
  std::string selector;
  std::string strictness;
  std::string format = "text";
  std::string json;         // --json[=STYLE]
  std::string debug_query;  // --debug-query[=FORMAT]
  std::array<std::vector<std::string>, 5> overrides;  // ids by rules::Severity; "*" is all
  std::vector<std::string> no_ignore;
  bool metadata = false;
  bool paths_only = false;
  bool standard_input = false;
  bool interactive = false;
};

constexpr std::string_view kStandardInput = "STDIN";

ReportFormat report_format(const ScanCommand& command) {
  if (command.paths_only) return ReportFormat::Paths;
  const std::string json = command.format == "json" && command.json.empty() ? "pretty"
                                                                            : command.json;
  if (json == "stream") return ReportFormat::JsonStream;
  if (json == "compact") return ReportFormat::JsonCompact;
  if (!json.empty()) return ReportFormat::JsonPretty;
  if (command.format == "sarif") return ReportFormat::Sarif;
  if (command.format == "github") return ReportFormat::Github;
  if (command.format == "short") return ReportFormat::Short;
  return ReportFormat::Text;
}

// Errors: InvalidArgument (an id that no rule has).
Result<void> override_severities(const ScanCommand& command, ChosenRules& chosen) {
  const std::span<const rules::RuleInfo> all = chosen.rules.rules();
  // All rules first, then single ones: `--off --error=x` runs x alone.
  for (const bool everything : {true, false}) {
    for (size_t level = 0; level < command.overrides.size(); ++level) {
      for (const std::string& id : command.overrides[level]) {
        if ((id == "*") != everything) continue;
        bool known = everything;
        for (size_t i = 0; i < all.size(); ++i) {
          if (!everything && all[i].id != id) continue;
          known = true;
          chosen.severities[i] = static_cast<rules::Severity>(level);
        }
        if (known) continue;
        return Error{ErrorCode::InvalidArgument, fmt::format("there is no rule '{}'", id), "",
                     "tinyarms rules list shows the ids"};
      }
    }
  }
  return {};
}

void apply_no_ignore(const std::vector<std::string>& kinds, scan::WalkOptions& walk) {
  for (const std::string& kind : kinds) {
    if (kind == "hidden") walk.hidden = true;
    if (kind == "dot") walk.ignores.dot = false;
    if (kind == "exclude") walk.ignores.exclude = false;
    if (kind == "global") walk.ignores.global = false;
    if (kind == "parent") walk.ignores.parents = false;
    if (kind == "vcs") walk.ignores.vcs = false;
  }
}

constexpr size_t kNamedSkipsMax = 20;

// What was done, on stderr: always what was not, the rest for people only.
void summarise(const scan::Totals& totals, ReportFormat format, const Context& context) {
  const Terminal terminal = context.terminal();
  size_t named = 0;
  for (const auto& [path, skip] : totals.skipped) {
    if (named++ == kNamedSkipsMax) {
      terminal.note(fmt::format("skipped: … and {} more", totals.skipped.size() - kNamedSkipsMax));
      break;
    }
    const std::string detail = skip.detail.empty() ? "" : ": " + skip.detail;
    terminal.note(printable(fmt::format("skipped: {} ({}{})", path,
                                        scan::skip_reason_name(skip.reason), detail)));
  }
  if (format != ReportFormat::Text && totals.skipped.empty() && totals.fixes_applied == 0) return;
  const auto severity = [&](rules::Severity level) {
    return totals.by_severity[static_cast<size_t>(level)];
  };
  std::string line = fmt::format("{} files scanned, {} findings in {}", totals.files,
                                 totals.findings, totals.files_with_findings);
  line += fmt::format(" ({} errors, {} warnings)", severity(rules::Severity::Error),
                      severity(rules::Severity::Warning));
  if (totals.fixes_applied > 0) {
    line += fmt::format(", {} fixed in {}", totals.fixes_applied, totals.files_fixed);
  }
  if (!totals.skipped.empty()) line += fmt::format(", {} skipped", totals.skipped.size());
  terminal.note(line);
}

RulesExit status_of_scan(const scan::Totals& totals, bool ad_hoc, Exit before) {
  if (totals.interrupted) return RulesExit::Interrupted;
  if (before == as_exit(RulesExit::BadRule)) return RulesExit::BadRule;
  const size_t errors = totals.by_severity[static_cast<size_t>(rules::Severity::Error)];
  if (!ad_hoc && errors > 0) return RulesExit::Found;
  if (totals.incomplete || totals.fixes_refused > 0) return RulesExit::Incomplete;
  const bool nothing = totals.findings == 0 && totals.fixes_applied == 0;
  if (ad_hoc && nothing) return RulesExit::Found;
  return RulesExit::Clean;
}

// Files' pieces in order, with what the format wants between them.
class Output {
 public:
  Output(const scan::Reporter& reporter, const Terminal& terminal, StopFlag& stop)
      : reporter_(reporter), terminal_(terminal), stop_(stop) {
    terminal_.out(reporter_.begin());
  }
  void add(const scan::FileReport& report) {
    for (const std::string& notice : report.notices) {
      terminal_.note(printable(report.path + ": " + notice));
    }
    if (report.rendered.empty()) return;
    terminal_.out(first_ ? report.rendered : reporter_.separator() + report.rendered);
    first_ = false;
    if (std::ferror(stdout) != 0) stop_.raise();  // nobody reads on: `… | head`
  }
  void finish() { terminal_.out(reporter_.end()); }

 private:
  const scan::Reporter& reporter_;
  const Terminal& terminal_;
  StopFlag& stop_;
  bool first_ = true;
};

const rules::Language* input_language(const ScanCommand& command, const ChosenRules& chosen) {
  if (!command.language.empty()) return rules::find_language(command.language);
  const rules::Language* common = nullptr;
  for (const rules::RuleInfo& rule : chosen.rules.rules()) {
    if (common != nullptr && rule.language != common) return nullptr;
    common = rule.language;
  }
  return common;
}

// False where it could not begin; `exit` says why.
bool scan_standard_input(const ScanCommand& command, const ChosenRules& chosen,
                         const scan::Scanner& scanner, Output& output, scan::Totals& totals,
                         Context& context) {
  const rules::Language* language = input_language(command, chosen);
  if (language == nullptr) {
    fail_rules(context,
               {ErrorCode::InvalidArgument,
                "the language of the code on standard input is not clear", "",
                "name it: --lang python"},
               RulesExit::NoProject);
    return false;
  }
  std::string text(std::istreambuf_iterator<char>(context.input), {});
  scan::FileReport report = scanner.scan_text(kStandardInput, std::move(text), *language);
  add_to(totals, report);
  if (command.request.fix) {
    context.terminal().out(report.fixed_text);
  } else {
    output.add(report);
  }
  return true;
}

void run_scan(ScanCommand& command, Context& context) {
  if (!command.pattern.empty()) {
    command.choice.pattern = rules::RuleSet::PatternQuery{.pattern = command.pattern,
                                                          .language = command.language,
                                                          .selector = command.selector,
                                                          .strictness = command.strictness,
                                                          .rewrite = command.rewrite};
  }
  auto chosen = choose_rules(command.choice, context);
  if (!chosen) return;
  if (auto done = override_severities(command, *chosen); !done) {
    return fail_rules(context, done.error(), RulesExit::Usage);
  }
  const Terminal terminal = context.terminal();
  const ReportFormat format = report_format(command);
  apply_no_ignore(command.no_ignore, command.request.walk);
  command.request.severities = chosen->severities;
  command.request.keep = command.interactive;
  command.request.details = format != ReportFormat::Paths || command.request.fix;
  if (chosen->project) {
    command.request.languages = chosen->project->languages;
    command.request.project_root = chosen->project->root.string();
  }
  const scan::Severities severities(chosen->rules.rules(), command.request.severities);
  const auto reporter = scan::make_reporter({.format = format,
                                             .colours = colours_on_stdout(context),
                                             .metadata = command.metadata,
                                             .ad_hoc = chosen->ad_hoc,
                                             .version = std::string(kVersion)},
                                            severities);
  const scan::Scanner scanner(chosen->rules, *reporter, command.request);
  scan::Totals totals;
  if (command.interactive) {
    FixSession session(context, colours_on_stdout(context));
    auto done = scanner.run(process_environment(), context.stop, [&](scan::FileReport& report) {
      session.review(report);
    });
    if (!done) return fail_rules(context, done.error(), RulesExit::Usage);
    totals = std::move(*done);
    session.add_to(totals);
  } else {
    Output output(*reporter, terminal, context.stop);
    if (command.standard_input) {
      if (!scan_standard_input(command, *chosen, scanner, output, totals, context)) return;
    } else {
      auto done = scanner.run(process_environment(), context.stop,
                              [&](scan::FileReport& report) { output.add(report); });
      if (!done) return fail_rules(context, done.error(), RulesExit::Usage);
      totals = std::move(*done);
    }
    output.finish();
  }
  summarise(totals, format, context);
  context.exit = as_exit(status_of_scan(totals, chosen->ad_hoc, context.exit));
}

// The pattern and how it is understood; nothing is scanned then.
void show_query(const ScanCommand& command, Context& context) {
  auto dump = scan::dump_query({.pattern = command.pattern,
                                .language = command.language,
                                .selector = command.selector,
                                .format = command.debug_query});
  if (!dump) return fail_rules(context, dump.error(), RulesExit::Usage);
  context.terminal().out(*dump);
}

// Flags that cannot go together; CLI11's own checks name the flags only.
std::optional<Error> contradiction(const ScanCommand& command) {
  const auto wrong = [](std::string_view what, std::string_view hint) {
    return Error{ErrorCode::InvalidArgument, std::string(what), "", std::string(hint)};
  };
  if (command.pattern.empty()) {
    if (command.rewrite) return wrong("--rewrite needs a --pattern", "give both");
    if (!command.debug_query.empty()) return wrong("--debug-query needs a --pattern", "give both");
  } else if (command.language.empty()) {
    return wrong("--pattern needs a --lang", "e.g. --lang python");
  }
  if (!command.language.empty() && rules::find_language(command.language) == nullptr) {
    return wrong(fmt::format("this build has no language '{}'", command.language),
                 "tinyarms rules list --languages names those it has");
  }
  if (command.interactive && (command.standard_input || !command.json.empty())) {
    return wrong("--interactive asks on the terminal", "leave --stdin and --json out");
  }
  return std::nullopt;
}

void add_severity_flags(CLI::App& app, ScanCommand& command) {
  constexpr std::array<std::string_view, 5> kNames = {"off", "hint", "info", "warning", "error"};
  for (size_t level = 0; level < kNames.size(); ++level) {
    app.add_flag(fmt::format("--{}{{*}}", kNames[level]), command.overrides[level],
                 level == 0 ? "Turn the rule off (without =ID: all)"
                            : "Give the rule this severity (without =ID: all)")
        ->type_name("[=ID]");
  }
}

void add_pattern_options(CLI::App& app, ScanCommand& command) {
  app.add_option("-p,--pattern", command.pattern, "Search for this pattern instead of rules")
      ->type_name("CODE");
  app.add_option("-l,--lang", command.language, "The language of --pattern or of --stdin")
      ->type_name("NAME");
  app.add_option("--rewrite", command.rewrite, "What --pattern's matches become")
      ->type_name("CODE");
  app.add_option("--selector", command.selector, "The kind of node in --pattern that is meant")
      ->type_name("KIND");
  app.add_option("--strictness", command.strictness, "How closely --pattern must match")
      ->check(CLI::IsMember({"cst", "smart", "ast", "relaxed", "signature", "template"}))
      ->type_name("LEVEL");
  app.add_flag("--debug-query{pattern}", command.debug_query,
               "Show how --pattern is understood: =pattern, =ast, =cst or =sexp")
      ->check(CLI::IsMember({"pattern", "ast", "cst", "sexp"}))
      ->type_name("[=FORMAT]");
}

void add_walk_options(CLI::App& app, ScanCommand& command) {
  scan::WalkOptions& walk = command.request.walk;
  app.add_option("paths", walk.paths, "Files and folders (default: this folder)");
  app.add_flag("--follow", walk.follow_links, "Follow symbolic links");
  app.add_option("--no-ignore", command.no_ignore,
                 "What not to respect: hidden, dot, exclude, global, parent or vcs")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"hidden", "dot", "exclude", "global", "parent", "vcs"}))
      ->type_name("KIND");
  app.add_option("--globs", walk.globs, "Only such paths (!GLOB: not these); overrides all else")
      ->allow_extra_args(false)
      ->type_name("GLOB");
  app.add_option("-j,--threads", walk.threads, "Default: one per core")
      ->check(CLI::Range(0, 256))
      ->type_name("N");
  app.add_option("--max-file-size", command.request.file_bytes_max,
                 "Larger files are skipped and named (default: 64 MiB)")
      ->check(CLI::Range(uint64_t{1}, uint64_t{rules::kScanBytesMax}))
      ->type_name("BYTES");
}

void add_output_options(CLI::App& app, ScanCommand& command) {
  app.add_option("--format", command.format, "How findings are told (default: text)")
      ->check(CLI::IsMember({"text", "short", "json", "sarif", "github"}))
      ->type_name("text|short|json|sarif|github");
  app.add_flag("--json{pretty}", command.json, "As ast-grep's JSON: =pretty, =stream or =compact")
      ->check(CLI::IsMember({"pretty", "stream", "compact"}))
      ->type_name("[=STYLE]");
  app.add_flag("--include-metadata", command.metadata, "JSON: with the rules' metadata");
  app.add_flag("--files-with-matches", command.paths_only, "Only the paths of files with findings");
}

}  // namespace

void add_rules_scan(CLI::App& rules, Context& context) {
  auto command = std::make_shared<ScanCommand>();
  command->request.walk.threads = 0;
  CLI::App* scan = rules.add_subcommand("scan", "Find what rules look for, and fix it");
  add_rule_choice(*scan, command->choice);
  add_pattern_options(*scan, *command);
  add_walk_options(*scan, *command);
  add_output_options(*scan, *command);
  add_severity_flags(*scan, *command);
  scan->add_flag("--stdin", command->standard_input, "Scan standard input instead of files");
  CLI::Option* fix = scan->add_flag("-U,--fix,--update-all", command->request.fix,
                                    "Apply the fixes of all findings");
  scan->add_flag("-i,--interactive", command->interactive, "Ask for each fix")->excludes(fix);
  scan->footer(
      "Examples:\n"
      "  tinyarms rules scan\n"
      "  tinyarms rules scan --rule no-eval.yml --fix src\n"
      "  tinyarms rules scan --pattern 'print($$$A)' --lang py --rewrite 'log($$$A)' src\n"
      "  tinyarms rules scan --format sarif > findings.sarif\n"
      "  tinyarms rules scan --off --error=no-eval --format github");
  scan->callback([command, &context] {
    if (auto wrong = contradiction(*command)) {
      return fail_rules(context, *wrong, RulesExit::Usage);
    }
    if (!command->debug_query.empty()) return show_query(*command, context);
    unsigned& threads = command->request.walk.threads;
    if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
    run_scan(*command, context);
  });
}

}  // namespace tinyarms::cli
