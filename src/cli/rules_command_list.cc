// tinyarms rules list: which rules are in force, or which languages they may be for.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/rules_command.h"
#include "rules/language.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ListCommand {
  RuleChoice choice;
  bool languages = false;
  bool json = false;
};

void list_languages(bool json, const Terminal& terminal) {
  Json list = Json::array();
  for (const rules::Language& language : rules::languages()) {
    const std::string version = rules::grammar_version(language);
    if (!json) {
      terminal.out(fmt::format("{:12} {:10} {}\n", language.name, version, language.endings));
    }
    list.push_back({{"name", language.name},
                    {"title", language.title},
                    {"aliases", language.aliases},
                    {"endings", language.endings},
                    {"grammar", version}});
  }
  if (json) terminal.out(service::json_text(Json{{"languages", list}}));
}

Json rule_json(const rules::RuleInfo& rule) {
  return {{"id", rule.id},
          {"language", rule.language == nullptr ? "" : rule.language->name},
          {"severity", rules::severity_name(rule.severity)},
          {"message", rule.message},
          {"note", rule.note},
          {"url", rule.url},
          {"fixes", rule.fixes},
          {"file", rule.file},
          {"line", rule.line}};
}

void run_list(const ListCommand& command, Context& context) {
  const Terminal terminal = context.terminal();
  if (command.languages) return list_languages(command.json, terminal);
  const auto chosen = choose_rules(command.choice, context);
  if (!chosen) return;
  Json list = Json::array();
  const std::span<const rules::RuleInfo> all = chosen->rules.rules();
  for (size_t i = 0; i < all.size(); ++i) {
    if (chosen->severities[i] == rules::Severity::Off && !command.choice.filter.empty()) continue;
    if (command.json) {
      list.push_back(rule_json(all[i]));
      continue;
    }
    terminal.out(printable(fmt::format("{:8} {:11} {}{}  {}\n",
                                       rules::severity_name(all[i].severity),
                                       all[i].language == nullptr ? "" : all[i].language->name,
                                       all[i].id, all[i].fixes > 0 ? " (fix)" : "",
                                       all[i].message)));
  }
  if (command.json) terminal.out(service::json_text(Json{{"rules", list}}));
}

}  // namespace

void add_rules_list(CLI::App& rules, Context& context) {
  auto command = std::make_shared<ListCommand>();
  CLI::App* list = rules.add_subcommand("list", "The rules of a project, or the languages");
  add_rule_choice(*list, command->choice);
  list->add_flag("--languages", command->languages, "The languages of this build instead");
  list->add_flag("--json", command->json, "As JSON");
  list->footer("Examples:\n  tinyarms rules list\n  tinyarms rules list --languages");
  list->callback([command, &context] { run_list(*command, context); });
}

}  // namespace tinyarms::cli
