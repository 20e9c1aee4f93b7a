// Completions list commands and flags; values are left to the shell's own file completion. Each
// shell gets a function that finds the command in the words typed so far, by its path ("models
// import"), and offers that path's words.
#include <fmt/format.h>

#include "cli/command_tree.h"

namespace tinyarms::cli {
namespace {

struct Entry {
  std::string path;  // "" for the root, "models import" below
  const CommandInfo* command;
};

void collect(const CommandInfo& command, const std::string& path, std::vector<Entry>& entries) {
  entries.push_back({path, &command});
  for (const CommandInfo& child : command.commands) {
    collect(child, path.empty() ? child.name : path + " " + child.name, entries);
  }
}

std::string words_of(const CommandInfo& command) {
  std::string words;
  for (const CommandInfo& child : command.commands) words += child.name + " ";
  for (const OptionInfo& option : command.options) {
    for (const std::string& name : option.names) words += name + " ";
  }
  if (!words.empty()) words.pop_back();
  return words;
}

// Descriptions stand inside single quotes of a script: those are the one thing to keep out.
std::string shell_quoted(std::string_view text) {
  std::string safe;
  for (char character : text) {
    if (character == '\'') {
      safe += "’";
    } else if (character == '\n' || character == ':' || character == '[' || character == ']') {
      safe += ' ';
    } else {
      safe += character;
    }
  }
  return safe;
}

// The case branches that tell a path from the words before the cursor, for bash and zsh.
std::string path_finder(const std::vector<Entry>& entries, std::string_view words) {
  std::string text = fmt::format(
      "  local path='' word\n  for word in {}; do\n    case \"$path $word\" in\n", words);
  for (const Entry& entry : entries) {
    if (entry.path.empty()) continue;
    const size_t space = entry.path.rfind(' ');
    const std::string parent = space == std::string::npos ? "" : entry.path.substr(0, space);
    text += fmt::format("      '{} {}') path='{}' ;;\n", parent, entry.command->name, entry.path);
  }
  return text + "    esac\n  done\n";
}

std::string bash_script(const std::string& program, const std::vector<Entry>& entries) {
  std::string text = fmt::format("# bash completion for {0}: source it, or put it into\n"
                                 "# ~/.local/share/bash-completion/completions/{0}\n_{0}() {{\n",
                                 program);
  text += path_finder(entries, "\"${COMP_WORDS[@]:1:COMP_CWORD-1}\"");
  text += "  local words=''\n  case \"$path\" in\n";
  for (const Entry& entry : entries) {
    text += fmt::format("    '{}') words='{}' ;;\n", entry.path, words_of(*entry.command));
  }
  text += "  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n";
  return text + fmt::format("}}\ncomplete -o default -F _{0} {0}\n", program);
}

std::string zsh_script(const std::string& program, const std::vector<Entry>& entries) {
  std::string text =
      fmt::format("#compdef {0}\n# put it into a folder of $fpath as _{0}\n_{0}() {{\n", program);
  text += path_finder(entries, "\"${(@)words[2,CURRENT-1]}\"");
  text += "  local -a choices\n  case \"$path\" in\n";
  for (const Entry& entry : entries) {
    text += fmt::format("    '{}') choices=(", entry.path);
    for (const CommandInfo& child : entry.command->commands) {
      text += fmt::format("'{}:{}' ", child.name, shell_quoted(child.description));
    }
    for (const OptionInfo& option : entry.command->options) {
      for (const std::string& name : option.names) {
        text += fmt::format("'{}:{}' ", name, shell_quoted(option.description));
      }
    }
    text += ") ;;\n";
  }
  text += "  esac\n  _describe 'command' choices || _files\n}\n";
  return text + fmt::format("compdef _{0} {0}\n", program);
}

std::string fish_condition(const std::string& path) {
  if (path.empty()) return "__fish_use_subcommand";
  std::string condition;
  for (size_t start = 0; start <= path.size();) {
    const size_t end = std::min(path.find(' ', start), path.size());
    condition += condition.empty() ? "" : "; and ";
    condition += "__fish_seen_subcommand_from " + path.substr(start, end - start);
    start = end + 1;
  }
  return condition;
}

std::string fish_script(const std::string& program, const std::vector<Entry>& entries) {
  std::string text =
      fmt::format("# fish completion: put it into ~/.config/fish/completions/{}.fish\n", program);
  for (const Entry& entry : entries) {
    const std::string condition = fish_condition(entry.path);
    for (const CommandInfo& child : entry.command->commands) {
      text += fmt::format("complete -c {} -n '{}' -f -a {} -d '{}'\n", program, condition,
                          child.name, shell_quoted(child.description));
    }
    for (const OptionInfo& option : entry.command->options) {
      text += fmt::format("complete -c {} -n '{}'", program, condition);
      for (const std::string& name : option.names) {
        const bool is_long = name.starts_with("--");
        text += fmt::format(" {} {}", is_long ? "-l" : "-s", name.substr(is_long ? 2 : 1));
      }
      text += fmt::format("{} -d '{}'\n", option.takes_value ? " -r" : "",
                          shell_quoted(option.description));
    }
  }
  return text;
}

}  // namespace

std::string completion_script(const CommandInfo& root, Shell shell) {
  std::vector<Entry> entries;
  collect(root, "", entries);
  switch (shell) {
    case Shell::Bash: return bash_script(root.name, entries);
    case Shell::Zsh: return zsh_script(root.name, entries);
    case Shell::Fish: return fish_script(root.name, entries);
  }
  return "";
}

}  // namespace tinyarms::cli
