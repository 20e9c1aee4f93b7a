// tinyarms completions and tinyarms man: printed, for the user to put where they belong.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/build_info.h"
#include "cli/command_tree.h"
#include "cli/context.h"

namespace tinyarms::cli {
namespace {

std::vector<std::pair<std::string, std::string>> settings_text() {
  std::vector<std::pair<std::string, std::string>> text;
  for (const service::SettingInfo& setting : service::known_settings()) {
    const std::string initial = service::default_as_toml(setting);
    text.emplace_back(std::string(setting.key),
                      std::string(setting.doc) + " Allowed: " + service::allowed_values(setting) +
                          ". Default: " + (initial.empty() ? "unset" : initial) + ".");
  }
  return text;
}

}  // namespace

void add_shell(CLI::App& app, Context& context) {
  static const std::map<std::string, Shell> kShells = {
      {"bash", Shell::Bash}, {"zsh", Shell::Zsh}, {"fish", Shell::Fish}};
  auto shell = std::make_shared<std::string>();
  CLI::App* completions = app.add_subcommand("completions", "Print completions for a shell");
  completions->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completions->footer("Example:\n  source <(tinyarms completions bash)");
  completions->callback([shell, &app, &context] {
    context.terminal().out(completion_script(command_tree(app), kShells.at(*shell)));
  });

  CLI::App* manual = app.add_subcommand("man", "Print the manual page (roff)");
  manual->footer("Example:\n  tinyarms man | man -l -");
  manual->callback([&app, &context] {
    context.terminal().out(
        manual_page(command_tree(app), std::string(kVersion), settings_text()));
  });
}

}  // namespace tinyarms::cli
