// What the commands `tinyarms rules …` share: where their rules come from, how they end.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "rules/rule_set.h"
#include "rules/text_regex.h"
#include "scan/project.h"

namespace tinyarms::cli {

// The exit statuses of ast-grep 0.51, and Incomplete, which it has no word for. Where several
// apply, the first of: Interrupted, BadRule, Found, Incomplete.
enum class RulesExit : int {
  Clean = 0,
  Found = 1,         // findings of severity error; with --pattern: nothing was found
  Usage = 2,
  NoProject = 3,     // no sgconfig.yml here or above, or nothing to read standard input with
  TestsFailed = 4,
  Unreadable = 6,    // a rule file, rule folder or sgconfig.yml cannot be read
  Incomplete = 7,    // files were skipped, or fixes left out: stderr names them
  BadRule = 8,       // a rule was wrong (the others ran) or sgconfig.yml is
  Exists = 17,       // `rules new` never overwrites
  Interrupted = 130,
};

inline Exit as_exit(RulesExit status) { return static_cast<Exit>(static_cast<int>(status)); }

// Which rules, by the flags that scan, test, list and explain have in common.
struct RuleChoice {
  std::string config;                    // sgconfig.yml; empty: the nearest
  std::vector<std::string> rule_files;   // instead of a project
  std::string inline_rules;              // likewise
  bool bundled = false;                  // the rules inside the binary, likewise
  bool needs_project = false;            // never the bundled rules for want of a project
  std::string filter;                    // a regular expression over ids; empty: all
  std::optional<rules::RuleSet::PatternQuery> pattern;  // likewise
};

struct ChosenRules {
  rules::RuleSet rules;
  std::optional<scan::Project> project;
  std::vector<rules::Severity> severities;  // one per rule
  bool ad_hoc = false;                      // the rule is a pattern
};

// The expression of --filter, which is searched for in the ids of rules; the empty one matches all.
// Errors: InvalidArgument.
Result<rules::TextRegex> compile_filter(const std::string& filter);

void add_rule_choice(CLI::App& command, RuleChoice& choice);

// Loads them: those that are named, else the project's, else (and says so) the bundled ones. Tells
// of every rule that is wrong on stderr and sets `exit` to BadRule then, but the rest work. Nothing
// where there are none to work with; `exit` says why.
std::optional<ChosenRules> choose_rules(const RuleChoice& choice, Context& context);

// The project of --config or of the current folder; without one, an error and `exit`.
std::optional<scan::Project> open_project(const std::string& config, Context& context);

// Reports an error on stderr and ends with `status`.
void fail_rules(Context& context, const Error& error, RulesExit status);

// The status that a failure to read rules or a project ends with.
RulesExit status_of(const Error& error);

// Colours on standard output: a terminal is there, and neither NO_COLOR nor --no-color forbids it.
bool colours_on_stdout(const Context& context);

// The subcommands, one file each.
void add_rules_scan(CLI::App& rules, Context& context);
void add_rules_test(CLI::App& rules, Context& context);
void add_rules_new(CLI::App& rules, Context& context);
void add_rules_list(CLI::App& rules, Context& context);
void add_rules_explain(CLI::App& rules, Context& context);

}  // namespace tinyarms::cli
