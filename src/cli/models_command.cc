// tinyarms models: what is installed, and bringing more in.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "catalog/model_store.h"
#include "cli/context.h"
#include "cli/models_commands.h"
#include "engine/load_probe.h"
#include "engine/memory_plan.h"
#include "engine/model_check.h"
#include "service/assistant.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;
using catalog::InstalledModel;
using catalog::ModelStore;

constexpr uint32_t kPlannedContext = 4096;
constexpr uint32_t kPlannedBatch = 512;

std::string megabytes(uint64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

const char* role_of(const InstalledModel& model) {
  return model.reranker ? "reranker" : model.encoder ? "encoder" : "generator";
}

Json model_json(const InstalledModel& model) {
  return {{"name", model.name},
          {"path", model.path.string()},
          {"sha256", model.sha256},
          {"bytes", model.bytes},
          {"architecture", model.architecture},
          {"quantization", model.quantization},
          {"parameters", model.parameters},
          {"role", role_of(model)},
          {"licence", model.licence},
          {"source", model.source},
          {"problem", model.problem},
          {"installed", true}};
}

struct ListOptions {
  bool json = false;
};

void run_list(const ListOptions& options, Context& context) {
  auto models = ModelStore(context.paths.models_dir).list();
  if (!models) return context.fail(models.error(), options.json);
  const Terminal terminal = context.terminal();
  // A configuration that is wrong is no reason to list nothing.
  const auto config = service::load_config(context.sources);
  const int threads = config ? config->settings.threads : 0;
  if (options.json) {
    Json list = Json::array();
    for (const InstalledModel& model : *models) {
      list.push_back(model_json(model));
      list.back()["measured"] = speed_json(measured_speed(model, threads, context));
    }
    return terminal.out(service::json_text(Json{{"models", list}}));
  }
  if (models->empty()) {
    terminal.note("no models are installed; bring one in: tinyarms models import FILE.gguf");
  }
  for (const InstalledModel& model : *models) {
    const std::string problem =
        model.problem.empty() ? "" : "  unusable: " + printable(model.problem);
    const auto speed = measured_speed(model, threads, context);
    terminal.out(fmt::format("{:40} {:10} {:>10}  {}{}{}\n", printable(model.name),
                             model.quantization, megabytes(model.bytes), role_of(model),
                             speed ? ", " + speed_text(*speed) : "", problem));
  }
}

struct ShowOptions {
  std::string name;
  bool json = false;
};

void run_show(const ShowOptions& options, Context& context) {
  auto model = ModelStore(context.paths.models_dir).find(options.name);
  if (!model) {
    // Not installed, but perhaps known.
    if (model.error().code == ErrorCode::NotFound &&
        show_catalogue_model(options.name, options.json, context)) {
      return;
    }
    return context.fail(model.error(), options.json);
  }
  auto facts = engine::inspect_model(model->path);
  if (!facts) return context.fail(facts.error(), options.json);

  const uint32_t tokens = std::min(facts->context_tokens, kPlannedContext);
  const engine::MemoryPlan plan = engine::plan_memory(*facts, tokens, kPlannedBatch);
  Json json = model_json(*model);
  json["context_tokens"] = facts->context_tokens;
  json["layers"] = facts->layers;
  json["embedding_width"] = facts->embedding_width;
  json["vocabulary"] = facts->vocabulary;
  json["memory"] = {{"context_tokens", tokens},
                    {"weight_bytes", plan.weight_bytes},
                    {"kv_bytes", plan.kv_bytes},
                    {"compute_bytes", plan.compute_bytes},
                    {"vocabulary_bytes", plan.vocabulary_bytes},
                    {"total_bytes", plan.total()}};
  const Terminal terminal = context.terminal();
  if (options.json) return terminal.out(service::json_text(json));
  for (const auto& [key, value] : json.items()) {
    if (key == "memory") continue;
    terminal.out(fmt::format("{:16} {}\n", key,
                             printable(value.is_string() ? value.get<std::string>()
                                                         : value.dump())));
  }
  terminal.out(fmt::format("{:16} {} = weights {} + context of {} tokens {} + compute {}\n",
                           "memory", megabytes(plan.total()), megabytes(plan.weight_bytes), tokens,
                           megabytes(plan.kv_bytes), megabytes(plan.compute_bytes)));
}

struct ImportCommandOptions {
  std::string source;
  std::string name;
  std::string quantization = "f16";
  bool json = false;
};

void run_import(const ImportCommandOptions& options, Context& context) {
  static const std::map<std::string, engine::EncoderType> kTypes = {
      {"f32", engine::EncoderType::F32},
      {"f16", engine::EncoderType::F16},
      {"q8", engine::EncoderType::Q8_0}};
  const Terminal terminal = context.terminal();
  if (terminal.messages_are_watched()) terminal.note("importing " + printable(options.source));
  if (auto tried = try_model(options.source, context.stop); !tried) {
    return context.fail(tried.error(), options.json);
  }
  auto model = ModelStore(context.paths.models_dir)
                   .import(options.source, {.name = options.name,
                                            .source_note = "",
                                            .encoder_type = kTypes.at(options.quantization)});
  if (!model) return context.fail(model.error(), options.json);
  if (options.json) return terminal.out(service::json_text(model_json(*model)));
  terminal.out(fmt::format("{}  {}  {}  sha256 {}\n", model->name, model->quantization,
                           megabytes(model->bytes), model->sha256));
}

struct RemoveOptions {
  std::string name;
};

void run_remove(const RemoveOptions& options, Context& context) {
  auto removed = ModelStore(context.paths.models_dir).remove(options.name);
  if (!removed) return context.fail(removed.error(), false);
  context.terminal().note("removed " + printable(options.name));
}

}  // namespace

Result<void> try_model(const std::filesystem::path& file, const StopFlag& stop) {
  std::error_code problem;
  // What is no file, and folders, the import itself tells of.
  if (!std::filesystem::is_regular_file(file, problem)) return {};
  const engine::ModelCheck check = engine::check_model_file(file);
  if (check.problem) return *check.problem;
  if (check.not_loadable) return *check.not_loadable;
  if (check.format != "gguf") return {};
  auto tried = engine::probe_loading(file, stop);
  // What the engine refuses in words harms nobody, and a later engine may take it.
  const bool died = !tried && tried.error().what.find("on trial") != std::string::npos;
  if (died || (!tried && tried.error().code == ErrorCode::Interrupted)) return tried;
  return {};
}

void add_models(CLI::App& app, Context& context) {
  CLI::App* models = app.add_subcommand(
      "models", "The models installed on this machine, and those to choose from");
  models->require_subcommand(1);

  auto list_options = std::make_shared<ListOptions>();
  CLI::App* list = models->add_subcommand(
      "list", "Name, quantisation, size, role and measured speed of each");
  list->add_flag("--json", list_options->json, "As JSON");
  list->callback([list_options, &context] { run_list(*list_options, context); });

  auto show_options = std::make_shared<ShowOptions>();
  CLI::App* show = models->add_subcommand(
      "show", "Everything about one, with the memory it needs; or an entry of the catalogue");
  show->add_option("model", show_options->name, "Name or path, or NAME[:QUANT] of the catalogue")
      ->required();
  show->add_flag("--json", show_options->json, "As JSON");
  show->callback([show_options, &context] { run_show(*show_options, context); });

  add_models_catalog(*models, context);
  add_models_check(*models, context);
  add_models_export(*models, context);
  add_models_measure(*models, context);
  add_models_migrate(*models, context);
  add_models_plan(*models, context);
  add_models_recommend(*models, context);
  add_models_trial(*models, context);
  add_models_versions(*models, context);

  auto import_options = std::make_shared<ImportCommandOptions>();
  CLI::App* import = models->add_subcommand(
      "import", "A GGUF file as it is, or a folder with an encoder of the BERT family or MPNet, or "
                "a cross-encoder (safetensors)");
  import->add_option("source", import_options->source, "File or folder")->required();
  import->add_option("--name", import_options->name, "Name to keep it under")->type_name("NAME");
  import->add_option("--quantization", import_options->quantization,
                     "Of an encoder's matrices (a GGUF keeps its own)")
      ->check(CLI::IsMember({"f32", "f16", "q8"}))
      ->type_name("f32|f16|q8");
  import->add_flag("--json", import_options->json, "As JSON");
  import->footer(
      "Examples:\n"
      "  tinyarms models import ~/Downloads/qwen2.5-coder-3b-instruct-q4_k_m.gguf\n"
      "  tinyarms models import ./all-MiniLM-L6-v2 --name minilm --quantization q8\n"
      "  tinyarms models import ./all-mpnet-base-v2 --quantization f16");
  import->callback([import_options, &context] { run_import(*import_options, context); });

  auto remove_options = std::make_shared<RemoveOptions>();
  CLI::App* remove = models->add_subcommand("rm", "Remove one");
  remove->add_option("model", remove_options->name, "Its exact name")->required();
  remove->callback([remove_options, &context] { run_remove(*remove_options, context); });
}

}  // namespace tinyarms::cli
