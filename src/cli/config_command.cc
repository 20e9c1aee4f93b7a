// tinyarms config: what is in force, where it came from, and whether it is sound.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

void run_show(bool json, Context& context) {
  auto loaded = context.load_settings(json);
  if (!loaded) return;
  const Terminal terminal = context.terminal(loaded->settings);
  if (json) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (const service::ConfigEntry& entry : loaded->entries) {
      object[std::string(entry.setting->key)] = {{"value", entry.value},
                                                 {"origin", entry.origin},
                                                 {"doc", entry.setting->doc}};
    }
    return terminal.out(service::json_text(object));
  }
  for (const service::ConfigEntry& entry : loaded->entries) {
    terminal.out(fmt::format("{:24} = {:32} # {}\n", entry.setting->key,
                             entry.value.empty() ? "(unset)" : printable(entry.value),
                             printable(entry.origin)));
  }
}

void run_path(Context& context) {
  const Terminal terminal = context.terminal();
  terminal.out(fmt::format("user     {}\n", printable(context.sources.user_file.string())));
  const auto project =
      service::find_project_file(context.sources.working_dir, context.sources.home);
  terminal.out(fmt::format("project  {}\n", project ? printable(project->string()) : "(none)"));
  terminal.out(fmt::format("models   {}\n", printable(context.paths.models_dir.string())));
  terminal.out(fmt::format("cache    {}\n", printable(context.paths.cache_dir.string())));
}

void run_check(Context& context) {
  auto loaded = context.load_settings(false);
  if (!loaded) return;
  const Terminal terminal = context.terminal(loaded->settings);
  for (const auto& file : loaded->files) terminal.note("read " + printable(file.string()));
  terminal.note("the configuration is sound");
}

}  // namespace

void add_config(CLI::App& app, Context& context) {
  CLI::App* config = app.add_subcommand("config", "The settings in force and where they came from");
  config->require_subcommand(1);

  auto json = std::make_shared<bool>(false);
  CLI::App* show = config->add_subcommand("show", "Every setting, its value and its origin");
  show->add_flag("--json", *json, "As JSON");
  show->callback([json, &context] { run_show(*json, context); });

  CLI::App* path = config->add_subcommand("path", "The files and folders in use");
  path->callback([&context] { run_path(context); });

  CLI::App* check = config->add_subcommand("check", "Read everything and say what is wrong");
  check->callback([&context] { run_check(context); });
}

}  // namespace tinyarms::cli
