// tinyarms version: what exactly this is, so that a measurement can be repeated.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "catalog/model_store.h"
#include "cli/build_info.h"
#include "cli/context.h"
#include "engine/engine_info.h"
#include "storage/sqlite_version.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

void run_version(bool json, Context& context) {
  const Terminal terminal = context.terminal();
  const engine::EngineInfo engine = engine::engine_info();
  auto models = catalog::ModelStore(context.paths.models_dir).list();
  if (!models) return context.fail(models.error(), json);
  if (json) {
    nlohmann::ordered_json object = {
        {"version", kVersion},
        {"commit", kCommit},
        {"compiler", kCompiler},
        {"engine",
         {{"ggml_version", engine.ggml_version},
          {"ggml_commit", engine.ggml_commit},
          {"features", engine.features}}},
        {"sqlite", storage::sqlite_version()},
        {"models", nlohmann::ordered_json::array()}};
    for (const catalog::InstalledModel& model : *models) {
      object["models"].push_back({{"name", model.name}, {"sha256", model.sha256}});
    }
    return terminal.out(service::json_text(object));
  }
  terminal.out(fmt::format("tinyarms {} ({}, {})\n", kVersion, kCommit, kCompiler));
  terminal.out(fmt::format("engine   ggml {} ({})\n         {}\n", engine.ggml_version,
                           engine.ggml_commit, engine.features));
  terminal.out(fmt::format("sqlite   {}\n", storage::sqlite_version()));
  for (const catalog::InstalledModel& model : *models) {
    terminal.out(fmt::format("model    {}  sha256 {}\n", printable(model.name), model.sha256));
  }
}

}  // namespace

void add_version(CLI::App& app, Context& context) {
  auto json = std::make_shared<bool>(false);
  CLI::App* version =
      app.add_subcommand("version", "Versions and hashes of the program, engine and models");
  version->add_flag("--json", *json, "As JSON");
  version->callback([json, &context] { run_version(*json, context); });
}

}  // namespace tinyarms::cli
