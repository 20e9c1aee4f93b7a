// tinyarms doctor: each part looked at, and how to mend what is wrong. (The launcher's own doctor
// looks at packages, sources and the build before this one runs.)
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "catalog/model_store.h"
#include "cli/context.h"
#include "cli/cost_terms.h"
#include "encoder/text_encoder.h"
#include "engine/language_model.h"
#include "engine/memory_plan.h"
#include "questions/question_engine.h"
#include "remote/secret_file.h"
#include "sandbox/bubblewrap_judge.h"
#include "service/assistant.h"
#include "service/cache_pairs.h"
#include "service/library_access.h"
#include "service/model_places.h"
#include "storage/database.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

struct Finding {
  std::string part;
  bool sound = true;
  std::string detail;  // what was seen, or what is wrong
  std::string mend;    // the command or change that mends it
};

Finding sound(std::string part, std::string detail) {
  return {std::move(part), true, std::move(detail), ""};
}

Finding broken(std::string part, const Error& error) {
  const std::string what =
      error.where.empty() ? error.what : fmt::format("{}: {}", error.where, error.what);
  return {std::move(part), false, what, error.hint};
}

Finding check_rules() {
  const questions::QuestionEngine engine = questions::QuestionEngine::bundled();
  if (!engine.problems().empty()) return broken("rules", engine.problems().front());
  return sound("rules", fmt::format("{} rules loaded", engine.rule_count()));
}

Finding check_cache(const Context& context) {
  auto opened =
      storage::Database::open(context.paths.cache_dir / "answers.sqlite", context.clock);
  if (!opened) return broken("cache", opened.error());
  return sound("cache", opened->notice.empty() ? opened->database->path().string()
                                               : opened->notice);
}

// Only `bench` needs it, so a machine without one is sound; the hint says what to do.
Finding check_sandbox() {
  auto checked = sandbox::check();
  if (checked) return sound("sandbox", *checked);
  return {"sandbox", true, fmt::format("none, so code is never run: {}", checked.error().what),
          checked.error().hint};
}

// Embeds a word pair for real: a model that loads and gives nonsense is no sound model.
Result<std::string> try_encoder(const std::filesystem::path& path, int threads) {
  auto encoder = encoder::load_text_encoder(path, {.threads = threads, .precision = {}});
  if (!encoder) return encoder.error();
  const std::vector<std::string> texts = {"sort a list", "sort an array"};
  auto embeddings = (*encoder)->embed(texts);
  if (!embeddings) return embeddings.error();
  double cosine = 0;
  for (size_t i = 0; i < (*embeddings)[0].values.size(); ++i) {
    cosine += static_cast<double>((*embeddings)[0].values[i]) * (*embeddings)[1].values[i];
  }
  if (!(cosine > 0.5 && cosine < 1.0001)) {
    return Error{ErrorCode::Corrupt, fmt::format("gives a cosine of {:.3f} to two alike texts",
                                                 cosine),
                 path.string(), "import the model again: tinyarms models import …"};
  }
  return fmt::format("{} dimensions, cosine of two alike texts {:.2f}", (*encoder)->dimensions(),
                     cosine);
}

Finding check_encoder(const service::Settings& settings, const Context& context) {
  const std::string part = fmt::format("l1 {}", settings.l1.model);
  auto model = catalog::ModelStore(context.paths.models_dir).find(settings.l1.model);
  if (!model) return broken(part, model.error());
  auto tried = try_encoder(model->path, settings.threads);
  return tried ? sound(part, *tried) : broken(part, tried.error());
}

// Vectors that are still being made are no fault; that they serve nobody is said.
std::optional<Finding> check_index(const service::Settings& settings, const Context& context) {
  auto index = service::open_to_search(settings, context.paths, context.clock);
  if (!index && index.error().code == ErrorCode::NotFound) return std::nullopt;
  if (!index) return broken("index", index.error());
  auto totals = index->library->store().totals("");
  if (!totals) return broken("index", totals.error());
  return sound("index", fmt::format("{} passages{}{}", totals->passages,
                                    index->notice.empty() ? "" : "; ", index->notice));
}

// What is calibrated holds for one encoder.
std::optional<Finding> check_threshold(const service::Settings& settings, const Context& context) {
  auto model = service::encoder_model(settings, context.paths);
  if (!model || !settings.l1.cache) return std::nullopt;
  if (service::threshold_in_force(context.paths, service::identity_of(*model),
                                  settings.l1.similarity)) {
    return std::nullopt;
  }
  return Finding{"cache threshold", true,
                 fmt::format("calibrated for another model than {}: the same words only",
                             model->name),
                 "tinyarms cache calibrate --pairs FILE"};
}

Finding check_generator(const service::NamedModel& named, const service::Settings& settings,
                        const Context& context) {
  const std::string part = fmt::format("{} {}", named.place, named.model);
  auto model = catalog::ModelStore(context.paths.models_dir).find(named.model);
  if (!model) return broken(part, model.error().wrap(named.setting));
  auto facts = engine::inspect_model(model->path);
  if (!facts) return broken(part, facts.error());
  const uint64_t budget = service::memory_budget(settings, service::physical_memory());
  const uint64_t needed =
      engine::plan_memory(*facts, static_cast<uint32_t>(named.context), 512).total();
  if (needed > budget) {
    return broken(part, {ErrorCode::OverBudget,
                         fmt::format("needs {:.2f} GB, the memory budget is {:.2f} GB",
                                     static_cast<double>(needed) / 1e9,
                                     static_cast<double>(budget) / 1e9),
                         model->path.string(), "raise memory_budget or choose a smaller model"});
  }
  auto weights = engine::LanguageModel::load(model->path);
  if (!weights) return broken(part, weights.error());
  return sound(part, fmt::format("{}, {:.2f} GB in memory of a budget of {:.2f} GB",
                                 facts->quantization, static_cast<double>(needed) / 1e9,
                                 static_cast<double>(budget) / 1e9));
}

// Opens no connection: that the addresses and the key may be used is all that is seen from here.
Finding check_remote(const service::Settings& settings, const Context& context) {
  if (settings.offline) return sound("l4", "offline: no connection is ever opened");
  if (settings.l4.urls.empty()) return sound("l4", "allowed to connect, and no address (l4.url)");
  auto key = remote::find_key({.variable = settings.l4.api_key_env,
                               .file = settings.l4.api_key_file});
  if (!key) return broken("l4", key.error());
  for (const std::string& url : settings.l4.urls) {
    auto checked = remote::check_endpoint({.url = url, .model = settings.l4.model, .key = *key});
    if (!checked) return broken("l4", checked.error());
  }
  std::string detail = fmt::format("allowed to connect: {} at {}", settings.l4.model,
                                   fmt::join(settings.l4.urls, " or "));
  auto today = spending_today(settings, context);
  if (!today) return broken("l4", today.error());
  if (!*today) return sound("l4", detail);
  if (!service::remote_price(settings.l4, price_list(context))) {
    return broken("l4", {ErrorCode::Config,
                         fmt::format("l4.budget_per_day is set, but no price of {} is known",
                                     settings.l4.model),
                         "", "set l4.price_input and l4.price_output"});
  }
  return sound("l4", fmt::format("{}; {}", detail,
                                 spending_text(**today, settings.l4.budget_per_day)));
}

std::vector<Finding> examine(const service::LoadedConfig& loaded, const Context& context) {
  const service::Settings& settings = loaded.settings;
  std::vector<Finding> findings;
  findings.push_back(sound("configuration", fmt::format("{} file(s) read", loaded.files.size())));
  if (settings.l0.enabled) findings.push_back(check_rules());
  findings.push_back(check_cache(context));
  findings.push_back(check_sandbox());
  if (settings.l1.enabled) {
    findings.push_back(check_encoder(settings, context));
    if (auto index = check_index(settings, context)) findings.push_back(std::move(*index));
    if (auto least = check_threshold(settings, context)) findings.push_back(std::move(*least));
  }
  for (const service::NamedModel& one : service::named_models(settings)) {
    findings.push_back(check_generator(one, settings, context));
  }
  findings.push_back(check_remote(settings, context));
  return findings;
}

void run_doctor(bool json, Context& context) {
  auto loaded = context.load_settings(json);
  if (!loaded) return;
  const Terminal terminal = context.terminal(loaded->settings);
  const std::vector<Finding> findings = examine(*loaded, context);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    if (!finding.sound) context.exit = Exit::Failed;
    list.push_back({{"part", finding.part},
                    {"sound", finding.sound},
                    {"detail", finding.detail},
                    {"mend", finding.mend}});
    if (json) continue;
    terminal.out(fmt::format("{} {:32} {}\n", finding.sound ? "ok  " : "BAD ",
                             printable(finding.part), printable(finding.detail)));
    if (!finding.mend.empty()) terminal.out("     mend: " + printable(finding.mend) + "\n");
  }
  if (json) terminal.out(service::json_text(nlohmann::ordered_json{{"findings", list}}));
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  auto json = std::make_shared<bool>(false);
  CLI::App* doctor = app.add_subcommand("doctor", "Check every part and say how to mend it");
  doctor->add_flag("--json", *json, "As JSON");
  doctor->callback([json, &context] { run_doctor(*json, context); });
}

}  // namespace tinyarms::cli
