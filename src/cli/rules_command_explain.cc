// tinyarms rules explain: why a rule matched, or did not, on one line of a file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>

#include "cli/rules_command.h"
#include "scan/explain.h"
#include "scan/source_file.h"

namespace tinyarms::cli {
namespace {

struct ExplainCommand {
  RuleChoice choice;
  std::string id;
  std::string place;  // FILE:LINE
};

struct Place {
  std::string path;
  uint32_t line = 0;  // from one
};

std::optional<Place> parse_place(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  Place place{.path = text.substr(0, colon)};
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data() + colon + 1, end, place.line);
  if (problem != std::errc() || stop != end || place.line == 0) return std::nullopt;
  return place;
}

void run_explain(const ExplainCommand& command, Context& context) {
  const auto place = parse_place(command.place);
  if (!place) {
    return fail_rules(context,
                      {ErrorCode::InvalidArgument,
                       fmt::format("'{}' is not FILE:LINE", command.place), "",
                       "e.g. src/app.py:12"},
                      RulesExit::Usage);
  }
  const auto chosen = choose_rules(command.choice, context);
  if (!chosen) return;
  const rules::RuleInfo* rule = chosen->rules.find(command.id);
  if (rule == nullptr) {
    return fail_rules(context,
                      {ErrorCode::NotFound, fmt::format("there is no rule '{}'", command.id), "",
                       "tinyarms rules list shows the ids"},
                      RulesExit::Usage);
  }
  scan::SourceFile file;
  if (const auto skip = scan::read_source(place->path, scan::kSourceBytesMax, file)) {
    return fail_rules(context,
                      {ErrorCode::Io,
                       fmt::format("{} {}", scan::skip_reason_name(skip->reason), skip->detail),
                       place->path, "name a readable file of code"},
                      RulesExit::Unreadable);
  }
  auto text = scan::explain(chosen->rules, *rule, file.text, place->path, place->line);
  if (!text) return fail_rules(context, text.error(), RulesExit::Usage);
  context.terminal().out(printable(*text));
}

}  // namespace

void add_rules_explain(CLI::App& rules, Context& context) {
  auto command = std::make_shared<ExplainCommand>();
  CLI::App* explain =
      rules.add_subcommand("explain", "Why a rule matched on a line, or why not, node by node");
  explain->add_option("id", command->id, "The rule")->required();
  explain->add_option("place", command->place, "FILE:LINE")->required();
  add_rule_choice(*explain, command->choice);
  explain->footer("Example:\n  tinyarms rules explain no-eval src/app.py:12");
  explain->callback([command, &context] { run_explain(*command, context); });
}

}  // namespace tinyarms::cli
