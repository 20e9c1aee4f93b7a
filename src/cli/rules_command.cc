// tinyarms rules: lint and rewrite code by rules in ast-grep's form.
#include "cli/rules_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "tiers/embedded_rules.h"

namespace tinyarms::cli {
namespace {

// Hundreds of rules may all carry the same unknown key.
constexpr size_t kNoticesMax = 5;

std::string rule_message(const rules::RuleProblem& problem) {
  if (problem.rule.empty()) return problem.error.message();
  return problem.error.wrap(fmt::format("rule '{}'", problem.rule)).message();
}

Result<std::vector<rules::Severity>> severities_of(const rules::RuleSet& rules,
                                                   const std::string& filter) {
  std::vector<rules::Severity> severities;
  auto wanted = compile_filter(filter);
  if (!wanted) return wanted.error();
  for (const rules::RuleInfo& rule : rules.rules()) {
    severities.push_back(wanted->matches(rule.id) ? rule.severity : rules::Severity::Off);
  }
  return severities;
}

Result<rules::RuleSources> sources_of(const RuleChoice& choice) {
  rules::RuleSources sources;
  for (const std::string& file : choice.rule_files) {
    auto source = scan::read_rule_file(file);
    if (!source) return source.error();
    sources.rules.push_back(std::move(*source));
  }
  if (!choice.inline_rules.empty()) {
    sources.rules.push_back({"--inline-rules", choice.inline_rules});
  }
  return sources;
}

// By the flag, or because there is no project.
bool wants_bundled(const RuleChoice& choice, const Context& context) {
  if (choice.bundled || choice.needs_project || !choice.config.empty()) return choice.bundled;
  if (scan::find_project_file(std::filesystem::current_path())) return false;
  context.terminal().note("note: no sgconfig.yml here or above, so the bundled rules are used");
  return true;
}

}  // namespace

Result<rules::TextRegex> compile_filter(const std::string& filter) {
  auto wanted = rules::TextRegex::compile(filter);
  if (wanted) return wanted;
  return Error{ErrorCode::InvalidArgument,
               fmt::format("'{}' is no regular expression: {}", filter, wanted.error().what),
               "--filter", "it is searched for in the ids of rules"};
}

void fail_rules(Context& context, const Error& error, RulesExit status) {
  context.terminal().error(printable(error.message()));
  context.exit = as_exit(status);
}

RulesExit status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::InvalidArgument: return RulesExit::Usage;
    case ErrorCode::Config: return RulesExit::BadRule;
    default: return RulesExit::Unreadable;
  }
}

bool colours_on_stdout(const Context& context) {
  for (const auto& setting : context.sources.overrides) {
    if (setting.key == "color" && setting.value == "never") return false;
  }
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return context.terminal().answers_are_watched() && term != nullptr &&
         std::string_view(term) != "dumb" && (no_color == nullptr || *no_color == '\0');
}

void add_rule_choice(CLI::App& command, RuleChoice& choice) {
  command.add_option("-c,--config", choice.config, "The project file (default: the nearest one)")
      ->type_name("sgconfig.yml");
  command.add_option("-r,--rule", choice.rule_files, "This file of rules instead of a project")
      ->allow_extra_args(false)
      ->type_name("FILE");
  command.add_option("--inline-rules", choice.inline_rules, "Rules as YAML, instead of a project")
      ->type_name("YAML");
  command.add_flag("--bundled", choice.bundled, "The rules that tinyarms brings along");
  command.add_option("--filter", choice.filter, "Only rules whose id matches")->type_name("REGEX");
}

std::optional<scan::Project> open_project(const std::string& config, Context& context) {
  std::optional<std::filesystem::path> file;
  if (!config.empty()) file = config;
  if (!file) file = scan::find_project_file(std::filesystem::current_path());
  if (!file) {
    fail_rules(context,
               {ErrorCode::NotFound, "no sgconfig.yml here or in a folder above", "",
                "tinyarms rules new project makes one; --rule FILE and --pattern need none"},
               RulesExit::NoProject);
    return std::nullopt;
  }
  auto project = scan::read_project(*file);
  if (!project) {
    fail_rules(context, project.error(), status_of(project.error()));
    return std::nullopt;
  }
  for (const std::string& notice : project->notices) {
    context.terminal().note(printable("note: " + notice));
  }
  return std::move(*project);
}

std::optional<ChosenRules> choose_rules(const RuleChoice& choice, Context& context) {
  ChosenRules chosen;
  if (choice.pattern) {
    auto rules = rules::RuleSet::of_pattern(*choice.pattern);
    if (!rules) {
      fail_rules(context, rules.error(), RulesExit::Usage);
      return std::nullopt;
    }
    chosen.rules = std::move(*rules);
    chosen.ad_hoc = true;
  } else {
    const bool named = !choice.rule_files.empty() || !choice.inline_rules.empty();
    const bool bundled = !named && wants_bundled(choice, context);
    if (!bundled && (!named || !choice.config.empty())) {
      chosen.project = open_project(choice.config, context);
      if (!chosen.project) return std::nullopt;
    }
    auto sources = named     ? sources_of(choice)
                   : bundled ? Result<rules::RuleSources>(tiers::bundled_rule_sources())
                             : scan::read_rule_sources(*chosen.project);
    if (!sources) {
      fail_rules(context, sources.error(), status_of(sources.error()));
      return std::nullopt;
    }
    chosen.rules = rules::RuleSet::load(*sources);
  }
  const Terminal terminal = context.terminal();
  const std::vector<rules::RuleProblem>& notices = chosen.rules.notices();
  for (size_t i = 0; i < std::min(notices.size(), kNoticesMax); ++i) {
    terminal.note(printable("note: " + rule_message(notices[i])));
  }
  if (notices.size() > kNoticesMax) {
    terminal.note(fmt::format("note: … and {} more of this kind", notices.size() - kNoticesMax));
  }
  for (const rules::RuleProblem& problem : chosen.rules.problems()) {
    terminal.error(printable(rule_message(problem)));
    context.exit = as_exit(RulesExit::BadRule);
  }
  auto severities = severities_of(chosen.rules, choice.filter);
  if (!severities) {
    fail_rules(context, severities.error(), RulesExit::Usage);
    return std::nullopt;
  }
  chosen.severities = std::move(*severities);
  return chosen;
}

void add_rules(CLI::App& app, Context& context) {
  CLI::App* rules =
      app.add_subcommand("rules", "Lint and rewrite code by rules in ast-grep's form");
  rules->require_subcommand(1);
  add_rules_scan(*rules, context);
  add_rules_test(*rules, context);
  add_rules_new(*rules, context);
  add_rules_list(*rules, context);
  add_rules_explain(*rules, context);
  rules->footer(
      "Examples:\n"
      "  tinyarms rules scan src\n"
      "  tinyarms rules scan --pattern 'eval($A)' --lang python\n"
      "  tinyarms rules test\n"
      "\n"
      "Exit status: 0 clean · 1 findings of severity error (--pattern: nothing found) ·\n"
      "2 wrong usage · 3 no project · 4 tests failed · 6 rules or project unreadable ·\n"
      "7 files skipped or fixes left out · 8 a wrong rule · 17 exists already · 130 interrupted");
}

}  // namespace tinyarms::cli
