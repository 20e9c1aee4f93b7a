// What every command works with, made once in main() and handed down.
#pragma once

#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/paths.h"
#include "base/stop_flag.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "service/config.h"

namespace CLI {
class App;
}

namespace tinyarms::cli {

struct Context {
  const Clock& clock;
  StopFlag& stop;  // raised by Ctrl-C
  std::istream& input;
  Paths paths;
  service::ConfigSources sources;  // flags add their overrides while they are parsed
  Exit exit = Exit::Answered;

  // The terminal as configured so far, before the configuration is read.
  Terminal terminal() const { return Terminal(ColourChoice::Auto); }
  Terminal terminal(const service::Settings& settings) const;

  // Reads the configuration; on an error reports it, sets `exit`, gives nothing.
  std::optional<service::LoadedConfig> load_settings(bool json);

  // Reports on stderr (and as a JSON object on stdout where `json`), sets `exit`.
  void fail(const Error& error, bool json);
};

// `flag` sets the setting `key`, e.g. "--threads" → "threads". `flag` may name an alias ("-t,--x").
void add_setting(CLI::App& app, Context& context, const std::string& flag, const std::string& key,
                 const std::string& description);
// A flag without a value that sets `key` to `value`.
void add_switch(CLI::App& app, Context& context, const std::string& flag, const std::string& key,
                const std::string& value, const std::string& description);

// One function a command, each in its own file; they add the command to the parser.
void add_ask(CLI::App& app, Context& context);
void add_chat(CLI::App& app, Context& context);
void add_models(CLI::App& app, Context& context);
void add_init(CLI::App& app, Context& context);
void add_pull(CLI::App& app, Context& context);
void add_quantize(CLI::App& app, Context& context);
void add_validate(CLI::App& app, Context& context);
void add_embed(CLI::App& app, Context& context);
void add_intent(CLI::App& app, Context& context);
void add_rerank(CLI::App& app, Context& context);
void add_cache(CLI::App& app, Context& context);
void add_config(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);
void add_records(CLI::App& app, Context& context);
void add_metrics(CLI::App& app, Context& context);
void add_calibrate(CLI::App& app, Context& context);
void add_certify(CLI::App& app, Context& context);
void add_stats(CLI::App& app, Context& context);
void add_replay(CLI::App& app, Context& context);
void add_feedback(CLI::App& app, Context& context);
void add_signals(CLI::App& app, Context& context);
void add_shadow(CLI::App& app, Context& context);
void add_rules(CLI::App& app, Context& context);
void add_serve(CLI::App& app, Context& context);
void add_ps(CLI::App& app, Context& context);
void add_keys(CLI::App& app, Context& context);
void add_bench(CLI::App& app, Context& context);
void add_report(CLI::App& app, Context& context);
void add_data(CLI::App& app, Context& context);
void add_shell(CLI::App& app, Context& context);  // completions and the manual page

}  // namespace tinyarms::cli
