// tinyarms rules test: the cases of a project's rules.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/rules_command.h"
#include "scan/rule_tests.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;
using scan::CaseFailure;

struct TestCommand {
  RuleChoice choice;
  std::vector<std::string> test_dirs;
  std::string snapshot_dir = "__snapshots__";
  std::string filter;
  scan::RuleTestOptions options;
  bool json = false;
};

std::string_view sentence(CaseFailure::Kind kind) {
  switch (kind) {
    case CaseFailure::Kind::Noisy: return "finds something in valid code";
    case CaseFailure::Kind::Missing: return "finds nothing in invalid code";
    case CaseFailure::Kind::Different: return "finds something else than its snapshot";
    case CaseFailure::Kind::NoSnapshot: return "has no snapshot of this case";
    case CaseFailure::Kind::NoRule: return "is not a rule that could be loaded";
    case CaseFailure::Kind::TooCostly: return "is too costly on this code";
  }
  return "fails";
}

std::string indented(std::string_view text) {
  std::string shown = "    ";
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  for (const char c : text) {
    shown += c;
    if (c == '\n') shown += "    ";
  }
  return printable(shown) + "\n";
}

Json run_json(const scan::RuleTestRun& run, size_t loaded, size_t failed) {
  Json failures = Json::array();
  for (const CaseFailure& failure : run.failures) {
    Json entry = {{"rule", failure.rule},
                  {"kind", scan::failure_name(failure.kind)},
                  {"file", failure.file},
                  {"code", failure.code}};
    if (!failure.expected.empty()) entry["expected"] = failure.expected;
    if (!failure.actual.empty()) entry["actual"] = failure.actual;
    failures.push_back(std::move(entry));
  }
  return {{"rules", {{"loaded", loaded}, {"failed", failed}}},
          {"cases", {{"passed", run.cases_passed}, {"failed", run.cases_failed}}},
          {"failures", std::move(failures)}};
}

void show_run(const scan::RuleTestRun& run, const Terminal& terminal) {
  for (const CaseFailure& failure : run.failures) {
    terminal.out(printable(fmt::format("{}: {} {}:\n", failure.file, failure.rule,
                                       sentence(failure.kind))));
    terminal.out(indented(failure.code));
    if (!failure.expected.empty()) terminal.out("  snapshot:\n" + indented(failure.expected));
    if (!failure.actual.empty()) terminal.out("  now:\n" + indented(failure.actual));
  }
  for (const scan::TestedRule& rule : run.rules) {
    terminal.out(printable(fmt::format("{} {}  {}\n", rule.passed ? "PASS" : "FAIL", rule.id,
                                       rule.marks)));
  }
  std::string line = fmt::format("{} cases passed, {} failed", run.cases_passed, run.cases_failed);
  if (run.snapshots_updated > 0) line += fmt::format(", {} snapshots written",
                                                     run.snapshots_updated);
  if (run.rules_off > 0) line += fmt::format(", {} rules off", run.rules_off);
  terminal.out(line + "\n");
  if (run.without_snapshots > 0) {
    terminal.note(fmt::format("{} rules have no snapshots; --update-all takes them",
                              run.without_snapshots));
  }
}

std::vector<scan::TestFolder> test_folders(const TestCommand& command,
                                           const ChosenRules& chosen) {
  std::vector<scan::TestFolder> folders;
  for (const std::string& folder : command.test_dirs) {
    folders.push_back({.path = folder, .snapshots = command.snapshot_dir});
  }
  if (folders.empty() && chosen.project) folders = chosen.project->tests;
  return folders;
}

void run_tests(TestCommand& command, Context& context) {
  command.choice.needs_project = true;
  auto chosen = choose_rules(command.choice, context);
  if (!chosen) return;
  if (!command.filter.empty()) {
    auto filter = compile_filter(command.filter);
    if (!filter) return fail_rules(context, filter.error(), RulesExit::Usage);
    const auto wanted = std::make_shared<rules::TextRegex>(std::move(*filter));
    command.options.wanted = [wanted](std::string_view id) { return wanted->matches(id); };
  }
  const std::vector<scan::TestFolder> folders = test_folders(command, *chosen);
  if (folders.empty()) {
    return fail_rules(context,
                      {ErrorCode::InvalidArgument, "no folder of tests is named", "",
                       "add testConfigs to sgconfig.yml, or use --test-dir"},
                      RulesExit::Usage);
  }
  auto run = scan::run_rule_tests(chosen->rules, folders, command.options, context.stop);
  if (!run) return fail_rules(context, run.error(), status_of(run.error()));
  for (const Error& error : run->errors) {
    context.terminal().error(printable(error.message()));
  }
  const Terminal terminal = context.terminal();
  if (command.json) {
    const size_t failed = chosen->rules.problems().size();
    const Json json = run_json(*run, chosen->rules.rules().size(), failed);
    terminal.out(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } else {
    show_run(*run, terminal);
  }
  if (context.stop.raised()) {
    context.exit = as_exit(RulesExit::Interrupted);
  } else if (run->cases_failed > 0 || !run->errors.empty()) {
    context.exit = as_exit(RulesExit::TestsFailed);
  }
}

}  // namespace

void add_rules_test(CLI::App& rules, Context& context) {
  auto command = std::make_shared<TestCommand>();
  CLI::App* test = rules.add_subcommand("test", "Run the tests of rules");
  test->add_option("-c,--config", command->choice.config,
                   "The project file (default: the nearest one)")
      ->type_name("sgconfig.yml");
  test->add_option("-r,--rule", command->choice.rule_files,
                   "This file of rules instead of a project; needs --test-dir")
      ->allow_extra_args(false)
      ->type_name("FILE");
  test->add_option("-t,--test-dir", command->test_dirs, "Folders of tests instead of the project's")
      ->allow_extra_args(false)
      ->type_name("DIR");
  test->add_option("--snapshot-dir", command->snapshot_dir, "Name of the snapshots' folder in it")
      ->type_name("NAME");
  test->add_option("-f,--filter", command->filter, "Only rules whose id matches")
      ->type_name("REGEX");
  CLI::Option* skip = test->add_flag("--skip-snapshot-tests", command->options.skip_snapshots,
                                     "Look only at whether something is found");
  test->add_flag("-U,--update-all", command->options.update_snapshots,
                 "Write missing and changed snapshots")
      ->excludes(skip);
  test->add_flag("--include-off", command->options.include_off, "Rules with severity off too");
  test->add_flag("--json", command->json, "As JSON");
  test->footer(
      "Examples:\n"
      "  tinyarms rules test --update-all\n"
      "  tinyarms rules test --config sgconfig.yml --json");
  test->callback([command, &context] { run_tests(*command, context); });
}

}  // namespace tinyarms::cli
