// tinyarms pull: a model from a hub, a mirror, an address or this machine, into the store.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/models_commands.h"
#include "cli/pull_parts.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

struct PullOptions {
  std::string source;
  std::string name;
  std::vector<std::string> mirrors;
  bool no_trial = false;
  bool json = false;
};

void run_pull(const PullOptions& options, Context& context) {
  const auto config = context.load_settings(options.json);
  if (!config) return;
  const Terminal terminal = context.terminal(config->settings);
  auto request = pull_request(options.source, options.name, context);
  if (!request) return context.fail(request.error(), options.json);
  auto terms = pull_terms(config->settings, options.mirrors, context);
  if (!terms) return context.fail(terms.error(), options.json);
  const catalog::ModelStore store(context.paths.models_dir);
  const auto begun = std::chrono::steady_clock::now();
  Result<pull::Pulled> pulled = Error{};
  {
    PullProgress progress(terminal);
    pull::PullHooks hooks;
    hooks.progress = [&](const std::string& file, uint64_t there, uint64_t total) {
      progress.show(file, there, total);
    };
    hooks.say = [&](const std::string& text) { progress.say(text); };
    if (!options.no_trial) {
      hooks.trial = [&](const std::filesystem::path& file) {
        progress.say("loading it on trial");
        return try_model(file, context.stop);
      };
    }
    pulled = pull::Puller(store, std::move(*terms), std::move(hooks), context.stop).pull(*request);
  }
  if (!pulled) return context.fail(pulled.error(), options.json);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const catalog::InstalledModel& model = pulled->model;
  if (options.json) {
    return terminal.out(service::json_text(
        nlohmann::ordered_json{{"name", model.name},
                               {"path", model.path.string()},
                               {"sha256", model.sha256},
                               {"bytes", model.bytes},
                               {"architecture", model.architecture},
                               {"quantization", model.quantization},
                               {"licence", model.licence},
                               {"source", pulled->source},
                               {"reused", pulled->reused},
                               {"replaced_sha256", pulled->replaced},
                               {"fetched_bytes", pulled->fetched},
                               {"seconds", seconds}}));
  }
  const std::string came = pulled->reused.empty()
                               ? fmt::format("{} fetched in {:.1f} s", size_text(pulled->fetched),
                                             seconds)
                               : fmt::format("nothing fetched: {} had it", pulled->reused);
  terminal.out(printable(fmt::format("{}  {}  {}  {}  sha256 {}\n", model.name,
                                     model.quantization, size_text(model.bytes), came,
                                     model.sha256)));
  if (!pulled->replaced.empty()) {
    terminal.note(printable(fmt::format(
        "the version before is kept: tinyarms models rollback {}", model.name)));
  }
}

}  // namespace

void add_pull(CLI::App& app, Context& context) {
  auto options = std::make_shared<PullOptions>();
  CLI::App* pull = app.add_subcommand(
      "pull", "Bring a model in: from what is on this machine, a mirror, a hub or an address");
  pull->add_option("source", options->source,
                   "NAME[:QUANT] of the catalogue or a mirror, hf:user/repo[:QUANT], an https:// "
                   "address, a file or a folder")
      ->required();
  pull->add_option("--name", options->name, "Name to keep it under")->type_name("NAME");
  pull->add_option("--mirror", options->mirrors,
                   "Folder made by `models export`, as a path, file:// or https:// address; asked "
                   "first")
      ->type_name("URL");
  pull->add_flag("--no-trial", options->no_trial, "Does not load it on trial before it is kept");
  add_switch(*pull, context, "--online", "offline", "false",
             "Allows the network for this call, whatever the configuration says");
  pull->add_flag("--json", options->json, "As JSON");
  pull->footer(
      "Files come from the hosts of pull.hosts alone, by https, each redirect included. What was\n"
      "interrupted goes on where it was; a model is in the store once it is whole and checked.\n"
      "Examples:\n"
      "  tinyarms pull --online qwen2.5-coder-7b:q4_k_m\n"
      "  tinyarms pull --online hf:Qwen/Qwen2.5-Coder-3B-Instruct-GGUF:Q4_K_M\n"
      "  tinyarms pull smollm2-135m-instruct --mirror /srv/models\n"
      "  tinyarms pull ~/Downloads/model-00001-of-00003.gguf");
  pull->callback([options, &context] { run_pull(*options, context); });
}

}  // namespace tinyarms::cli
