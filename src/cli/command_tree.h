// The command line as data, read off the parser itself, so that help, completions and the manual
// page can never tell different stories.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tinyarms::cli {

struct OptionInfo {
  std::vector<std::string> names;  // "-f", "--file"
  std::string description;
  bool takes_value = false;
  std::string value_name;  // "FILE"
};

struct CommandInfo {
  std::string name;  // "ask"; the root's is the program's
  std::string description;
  std::string footer;  // examples
  std::vector<std::string> positionals;
  std::vector<OptionInfo> options;
  std::vector<CommandInfo> commands;
};

CommandInfo command_tree(const CLI::App& app);

enum class Shell { Bash, Zsh, Fish };

std::string completion_script(const CommandInfo& root, Shell shell);

// roff for man(1); `settings` is the text of the configuration section, one paragraph a setting.
std::string manual_page(const CommandInfo& root, const std::string& version,
                        const std::vector<std::pair<std::string, std::string>>& settings);

}  // namespace tinyarms::cli
