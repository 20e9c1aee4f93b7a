// tinyarms rules new: a rule, test, utility or project to start from.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/rules_command.h"
#include "scan/rule_template.h"

namespace tinyarms::cli {
namespace {

struct NewCommand {
  std::string id;
  std::string language;
  std::string config;
  bool yes = false;
};

RulesExit status_of_creation(const Error& error) {
  return error.code == ErrorCode::Unavailable ? RulesExit::Exists : status_of(error);
}

void run_new(const NewCommand& command, scan::TemplateKind kind, Context& context) {
  const auto project = open_project(command.config, context);
  if (!project) return;
  auto path = scan::create_from_template(*project, kind, command.id, command.language);
  if (!path) return fail_rules(context, path.error(), status_of_creation(path.error()));
  context.terminal().out(printable("created " + path->string()) + "\n");
}

void run_new_project(Context& context) {
  auto paths = scan::create_project(".");
  if (!paths) return fail_rules(context, paths.error(), status_of_creation(paths.error()));
  for (const std::filesystem::path& path : *paths) {
    context.terminal().out(printable("created " + path.lexically_normal().string()) + "\n");
  }
}

void add_kind(CLI::App& parent, Context& context, scan::TemplateKind kind, const char* name,
              const char* description) {
  auto command = std::make_shared<NewCommand>();
  CLI::App* app = parent.add_subcommand(name, description);
  app->add_option("id", command->id, "Its id")->required();
  CLI::Option* language =
      app->add_option("-l,--lang", command->language, "Its language")->type_name("NAME");
  if (kind != scan::TemplateKind::Test) language->required();
  app->add_option("-c,--config", command->config, "The project file (default: the nearest one)")
      ->type_name("sgconfig.yml");
  app->add_flag("-y,--yes", command->yes, "Ask nothing (nothing is ever asked)");
  app->callback([command, kind, &context] { run_new(*command, kind, context); });
}

}  // namespace

void add_rules_new(CLI::App& rules, Context& context) {
  CLI::App* create = rules.add_subcommand("new", "Start a project, a rule, a test or a utility");
  create->require_subcommand(1);
  CLI::App* project = create->add_subcommand("project", "sgconfig.yml and its folders, here");
  auto yes = std::make_shared<bool>(false);
  project->add_flag("-y,--yes", *yes, "Ask nothing (nothing is ever asked)");
  project->callback([yes, &context] { run_new_project(context); });
  add_kind(*create, context, scan::TemplateKind::Rule, "rule", "A rule");
  add_kind(*create, context, scan::TemplateKind::Test, "test", "A test of a rule");
  add_kind(*create, context, scan::TemplateKind::Util, "util", "A utility for several rules");
  create->footer(
      "Examples:\n"
      "  tinyarms rules new project\n"
      "  tinyarms rules new rule no-eval --lang python\n"
      "  tinyarms rules new test no-eval");
}

}  // namespace tinyarms::cli
