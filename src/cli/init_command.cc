// tinyarms init: a complete, commented configuration to begin with.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/context.h"
#include "cli/presets.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

struct InitOptions {
  std::string preset;
  std::string output;
  bool print = false;
  bool json = false;
};

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : bundled_presets()) {
    names.push_back(std::filesystem::path(file.name).stem().string());
  }
  return names;
}

std::string_view preset_text(const std::string& name) {
  for (const EmbeddedFile& file : bundled_presets()) {
    if (std::filesystem::path(file.name).stem() == name) return file.bytes;
  }
  return {};
}

// Whole, and never in the place of another file.
Result<void> write_new(const std::filesystem::path& path, std::string_view text) {
  std::error_code problem;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), problem);
  const Error taken{ErrorCode::InvalidArgument, "there is a configuration already", path.string(),
                    "move it away, or write elsewhere: --output FILE; --print shows the preset"};
  if (std::filesystem::exists(std::filesystem::symlink_status(path, problem))) return taken;
  PendingFile pending(path);
  if (auto written = write_file_atomically(pending.path(), text); !written) return written;
  auto placed = pending.commit_new();
  if (!placed) return placed.error();
  return *placed ? Result<void>() : Result<void>(taken);
}

void run_init(const InitOptions& options, Context& context) {
  const Terminal terminal = context.terminal();
  const std::string_view text = preset_text(options.preset);
  if (options.print) return terminal.out(text);
  const std::filesystem::path path =
      options.output.empty() ? context.paths.config_file : std::filesystem::path(options.output);
  if (auto written = write_new(path, text); !written) {
    return context.fail(written.error(), options.json);
  }
  if (options.json) {
    return terminal.out(service::json_text(
        nlohmann::ordered_json{{"preset", options.preset}, {"file", path.string()}}));
  }
  terminal.out(printable(path.string()) + "\n");
  terminal.note("read it, then: tinyarms config check; tinyarms doctor");
}

}  // namespace

void add_init(CLI::App& app, Context& context) {
  auto options = std::make_shared<InitOptions>();
  CLI::App* init = app.add_subcommand("init", "Write a complete, commented configuration");
  init->add_option("--preset", options->preset,
                   "copilot: while you write code; perplexity: answers from your files; "
                   "openrouter: each question to the right model; private: nothing leaves; fleet: "
                   "many machines")
      ->required()
      ->check(CLI::IsMember(preset_names()))
      ->type_name("NAME");
  init->add_option("--output", options->output, "Instead of the user's configuration")
      ->type_name("FILE");
  init->add_flag("--print", options->print, "Only shows it");
  init->add_flag("--json", options->json, "As JSON");
  init->footer(
      "An existing file is never overwritten. docs/presets.md shows each at work.\n"
      "Examples:\n"
      "  tinyarms init --preset private\n"
      "  tinyarms init --preset copilot --print");
  init->callback([options, &context] { run_init(*options, context); });
}

}  // namespace tinyarms::cli
