// tinyarms models export, models mirror: folders of models for machines without a network.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/models_commands.h"
#include "cli/pull_parts.h"
#include "pull/mirror.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

using catalog::InstalledModel;
using catalog::ModelStore;

struct ExportOptions {
  std::vector<std::string> names;
  std::string to;
  bool json = false;
};

void finish(const std::vector<InstalledModel>& models, const ModelStore& folder,
            const ExportOptions& options, Context& context) {
  auto listed = pull::write_index(folder);
  if (!listed) return context.fail(listed.error(), options.json);
  const Terminal terminal = context.terminal();
  if (options.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const InstalledModel& model : models) {
      list.push_back({{"name", model.name}, {"bytes", model.bytes}, {"sha256", model.sha256}});
    }
    return terminal.out(service::json_text(nlohmann::ordered_json{
        {"folder", folder.folder().string()}, {"models", list}, {"in_index", *listed}}));
  }
  for (const InstalledModel& model : models) {
    terminal.out(printable(fmt::format("{}  {}  sha256 {}\n", model.name, size_text(model.bytes),
                                       model.sha256)));
  }
  terminal.note(printable(fmt::format(
      "{} models in the mirror; elsewhere: tinyarms pull NAME --mirror {}", *listed,
      folder.folder().string())));
}

void run_export(const ExportOptions& options, Context& context) {
  const ModelStore store(context.paths.models_dir);
  const ModelStore folder(options.to);
  std::vector<std::string> names = options.names;
  if (names.empty()) {
    auto models = store.list();
    if (!models) return context.fail(models.error(), options.json);
    for (const InstalledModel& model : *models) {
      if (model.problem.empty()) names.push_back(model.name);
    }
  }
  std::vector<InstalledModel> made;
  for (const std::string& name : names) {
    if (context.stop.raised()) {
      return context.fail({ErrorCode::Interrupted, "interrupted", "", "what was copied is kept"},
                          options.json);
    }
    auto model = store.find(name);
    if (!model) return context.fail(model.error(), options.json);
    context.terminal().status("copying " + printable(model->name));
    auto copied = folder.add_gguf(model->path, {.name = catalog::make_model_name(model->name),
                                                .source_note = model->source});
    context.terminal().status("");
    if (!copied) return context.fail(copied.error(), options.json);
    made.push_back(std::move(*copied));
  }
  finish(made, folder, options, context);
}

void run_mirror(const ExportOptions& options, Context& context) {
  const auto config = context.load_settings(options.json);
  if (!config) return;
  const ModelStore folder(options.to);
  const Terminal terminal = context.terminal(config->settings);
  std::vector<InstalledModel> made;
  for (const std::string& source : options.names) {
    auto request = pull_request(source, "", context);
    if (!request) return context.fail(request.error(), options.json);
    auto terms = pull_terms(config->settings, {}, context);
    if (!terms) return context.fail(terms.error(), options.json);
    PullProgress progress(terminal);
    pull::PullHooks hooks;
    hooks.progress = [&](const std::string& file, uint64_t there, uint64_t total) {
      progress.show(file, there, total);
    };
    auto pulled =
        pull::Puller(folder, std::move(*terms), std::move(hooks), context.stop).pull(*request);
    if (!pulled) return context.fail(pulled.error(), options.json);
    made.push_back(std::move(pulled->model));
  }
  finish(made, folder, options, context);
}

}  // namespace

void add_models_export(CLI::App& models, Context& context) {
  auto export_options = std::make_shared<ExportOptions>();
  CLI::App* exported = models.add_subcommand(
      "export", "Copies installed models into a folder that `pull --mirror` reads");
  exported->add_option("model", export_options->names, "Names; none: all");
  exported->add_option("--to", export_options->to, "The folder")->required()->type_name("DIR");
  exported->add_flag("--json", export_options->json, "As JSON");
  exported->footer("Example:\n  tinyarms models export --to /media/stick/models");
  exported->callback([export_options, &context] { run_export(*export_options, context); });

  auto mirror_options = std::make_shared<ExportOptions>();
  CLI::App* mirror = models.add_subcommand(
      "mirror", "Brings models into such a folder instead of the store, as `pull` would");
  mirror->add_option("source", mirror_options->names, "As of `pull`")->required();
  mirror->add_option("--to", mirror_options->to, "The folder")->required()->type_name("DIR");
  add_switch(*mirror, context, "--online", "offline", "false",
             "Allows the network for this call, whatever the configuration says");
  mirror->add_flag("--json", mirror_options->json, "As JSON");
  mirror->footer(
      "Example:\n"
      "  tinyarms models mirror --online hf:Qwen/Qwen2.5-Coder-7B-Instruct-GGUF:Q4_K_M --to "
      "/srv/models");
  mirror->callback([mirror_options, &context] { run_mirror(*mirror_options, context); });
}

}  // namespace tinyarms::cli
