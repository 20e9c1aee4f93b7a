#include "cli/command_tree.h"

#include <CLI/CLI.hpp>

namespace tinyarms::cli {
namespace {

OptionInfo option_info(const CLI::Option& option) {
  OptionInfo info;
  for (const std::string& name : option.get_snames()) info.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) info.names.push_back("--" + name);
  info.description = option.get_description();
  info.takes_value = option.get_items_expected_max() > 0;
  info.value_name = option.get_type_name();
  return info;
}

}  // namespace

CommandInfo command_tree(const CLI::App& app) {
  CommandInfo info{.name = app.get_name(),
                   .description = app.get_description(),
                   .footer = app.get_footer(),
                   .positionals = {},
                   .options = {},
                   .commands = {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      info.positionals.push_back(option->get_name(true));
    } else {
      info.options.push_back(option_info(*option));
    }
  }
  for (const CLI::App* command : app.get_subcommands({})) {
    info.commands.push_back(command_tree(*command));
  }
  return info;
}

}  // namespace tinyarms::cli
