#include <fmt/format.h>

#include "cli/command_tree.h"

namespace tinyarms::cli {
namespace {

// A line that begins with a dot or a quote is a request to roff, and a backslash an escape.
std::string roff(std::string_view text) {
  std::string safe;
  bool line_start = true;
  for (char character : text) {
    if (line_start && (character == '.' || character == '\'')) safe += "\\&";
    if (character == '\\') {
      safe += "\\e";
    } else if (character == '-') {
      safe += "\\-";
    } else {
      safe += character;
    }
    line_start = character == '\n';
  }
  return safe;
}

std::string option_heading(const OptionInfo& option) {
  std::string heading;
  for (const std::string& name : option.names) {
    heading += (heading.empty() ? "" : ", ") + name;
  }
  return option.takes_value ? fmt::format("{} {}", heading, option.value_name) : heading;
}

void add_command(const CommandInfo& command, const std::string& path, std::string& page) {
  if (!path.empty()) {
    std::string synopsis = path;
    for (const std::string& name : command.positionals) synopsis += " " + name;
    page += fmt::format(".SS {}\n{}\n", roff(synopsis), roff(command.description));
  }
  for (const OptionInfo& option : command.options) {
    page += fmt::format(".TP\n.B {}\n{}\n", roff(option_heading(option)),
                        roff(option.description));
  }
  if (!command.footer.empty() && !path.empty()) {
    page += fmt::format(".PP\n.nf\n{}\n.fi\n", roff(command.footer));
  }
  for (const CommandInfo& child : command.commands) {
    add_command(child, path.empty() ? child.name : path + " " + child.name, page);
  }
}

}  // namespace

std::string manual_page(const CommandInfo& root, const std::string& version,
                        const std::vector<std::pair<std::string, std::string>>& settings) {
  std::string page = fmt::format(".TH TINYARMS 1 \"\" \"tinyArms {}\" \"User Commands\"\n",
                                 roff(version));
  page += fmt::format(".SH NAME\n{} \\- {}\n", root.name, roff(root.description));
  page += fmt::format(".SH SYNOPSIS\n.B {}\n[options] command [arguments]\n", root.name);
  page += ".SH COMMANDS\n";
  add_command(root, "", page);
  page += ".SH CONFIGURATION\nTOML, later ones win: the user's config.toml, the project's "
          ".tinyarms.toml, TINYARMS_* variables, flags.\n";
  for (const auto& [key, description] : settings) {
    page += fmt::format(".TP\n.B {}\n{}\n", roff(key), roff(description));
  }
  page += fmt::format(".SH EXAMPLES\n.nf\n{}\n.fi\n", roff(root.footer));
  return page;
}

}  // namespace tinyarms::cli
