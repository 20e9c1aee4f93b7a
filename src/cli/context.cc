#include "cli/context.h"

#include <CLI/CLI.hpp>

#include "service/reply_json.h"

namespace tinyarms::cli {

Terminal Context::terminal(const service::Settings& settings) const {
  switch (settings.color) {
    case service::Switch::Auto: return Terminal(ColourChoice::Auto);
    case service::Switch::Always: return Terminal(ColourChoice::Always);
    case service::Switch::Never: return Terminal(ColourChoice::Never);
  }
  return Terminal(ColourChoice::Auto);
}

std::optional<service::LoadedConfig> Context::load_settings(bool json) {
  auto loaded = service::load_config(sources);
  if (!loaded) {
    fail(loaded.error(), json);
    exit = Exit::Config;
    return std::nullopt;
  }
  if (auto sound = service::check(loaded->settings); !sound) {
    fail(sound.error(), json);
    exit = Exit::Config;
    return std::nullopt;
  }
  for (const std::string& notice : loaded->notices) {
    terminal(loaded->settings).note(printable("note: " + notice));
  }
  return std::move(*loaded);
}

void Context::fail(const Error& error, bool json) {
  terminal().error(printable(error.message()));
  if (json) terminal().out(service::json_text(service::error_json(error)));
  exit = exit_code(error.code);
}

void add_setting(CLI::App& app, Context& context, const std::string& flag, const std::string& key,
                 const std::string& description) {
  const std::string shown = flag.substr(flag.rfind(',') + 1);
  app.add_option_function<std::vector<std::string>>(
         flag,
         [&context, shown, key](const std::vector<std::string>& values) {
           for (const std::string& value : values) {
             context.sources.overrides.push_back({key, value, shown});
           }
         },
         description)
      ->allow_extra_args(false)  // one value a flag: the next word is the question
      ->type_name("VALUE");
}

void add_switch(CLI::App& app, Context& context, const std::string& flag, const std::string& key,
                const std::string& value, const std::string& description) {
  app.add_flag_callback(
      flag,
      [&context, flag, key, value] { context.sources.overrides.push_back({key, value, flag}); },
      description);
}

}  // namespace tinyarms::cli
