// tinyarms models measure: how fast installed models are on this machine, kept for other commands.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>

#include "advice/memory.h"
#include "cli/models_commands.h"
#include "eval/model_speed.h"
#include "service/assistant.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

using SpeedJson = nlohmann::ordered_json;

struct MeasureOptions {
  std::vector<std::string> names;
  double seconds = 45;
  bool json = false;
};

catalog::MeasuredStore measured_store(const Context& context) {
  return catalog::MeasuredStore(context.paths.data_dir / "measured");
}

// "2026-11-29"; empty for a time that is none.
std::string utc_day(double seconds) {
  const auto whole = static_cast<std::time_t>(seconds);
  std::tm parts{};
  char day[16];
  if (::gmtime_r(&whole, &parts) == nullptr) return "";
  return {day, std::strftime(day, sizeof(day), "%Y-%m-%d", &parts)};
}

// Those named, else all that can be used.
Result<std::vector<catalog::InstalledModel>> models_to_measure(const MeasureOptions& options,
                                                               const catalog::ModelStore& store) {
  if (!options.names.empty()) return store.find_all(options.names);
  auto all = store.list();
  if (!all) return all.error();
  std::vector<catalog::InstalledModel> chosen;
  for (catalog::InstalledModel& model : *all) {
    if (model.problem.empty()) chosen.push_back(std::move(model));
  }
  if (chosen.empty()) {
    return Error{ErrorCode::NotFound, "no model is installed that could be measured",
                 store.folder().string(), "bring one in: tinyarms pull NAME"};
  }
  return chosen;
}

void print_speed(const catalog::MeasuredSpeed& speed, const Terminal& terminal) {
  const std::string reads =
      speed.generates() ? fmt::format("reads {:.1f} tokens/s, ", speed.prompt_tokens_rate)
      : speed.text_tokens_rate > 0 ? fmt::format("{:.0f} tokens/s, ", speed.text_tokens_rate)
                                   : "";
  terminal.out(printable(fmt::format(
      "{:40} {:>18}  {}loads in {:.2f} s, {}, {}\n", speed.model, speed_text(speed), reads,
      speed.load_seconds, size_text(speed.memory_bytes),
      speed.watts ? fmt::format("{:.1f} W", *speed.watts) : "power not readable")));
}

void run_measure(const MeasureOptions& options, Context& context) {
  const auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const Terminal terminal = context.terminal(loaded->settings);
  auto models =
      models_to_measure(options, catalog::ModelStore(context.paths.models_dir));
  if (!models) return context.fail(models.error(), options.json);
  SpeedJson measured = SpeedJson::array();
  SpeedJson failed = SpeedJson::array();
  for (catalog::InstalledModel& model : *models) {
    auto speed =
        measure_model(model, options.seconds, loaded->settings, terminal, context);
    if (speed) {
      measured.push_back(speed_json(*speed));
      if (!options.json) print_speed(*speed, terminal);
      continue;
    }
    // One that cannot be measured does not keep the others from it.
    terminal.error(printable(speed.error().wrap(model.name).message()));
    context.exit = exit_code(speed.error().code);
    failed.push_back({{"model", model.name},
                      {"error", service::error_json(speed.error()).at("error")}});
    if (speed.error().code == ErrorCode::Interrupted) break;
  }
  if (!options.json) return;
  terminal.out(service::json_text(SpeedJson{{"measured", measured}, {"failed", failed}}));
}

}  // namespace

Result<uint64_t> check_room(const catalog::InstalledModel& model, uint32_t context_tokens,
                            const service::Settings& settings) {
  auto facts = engine::inspect_model(model.path);
  if (!facts) return facts.error();
  const uint64_t needed =
      advice::plan_model(*facts, {.context_tokens = context_tokens, .threads = settings.threads})
          .total();
  const uint64_t budget = service::memory_budget(settings, service::physical_memory());
  if (needed <= budget) return needed;
  return Error{ErrorCode::OverBudget,
               fmt::format("needs {}, the memory budget is {}", size_text(needed),
                           size_text(budget)),
               model.name, "raise memory_budget, or take a smaller model"};
}

Result<catalog::MeasuredSpeed> measure_model(catalog::InstalledModel& model, double seconds,
                                             const service::Settings& settings,
                                             const Terminal& terminal, Context& context) {
  if (auto room = check_room(model, eval::kSpeedContext, settings); !room) return room.error();
  terminal.status(printable(model.name) + ": reading the file");
  auto hash = catalog::ModelStore(context.paths.models_dir).sha256_of(model);
  if (!hash) return hash.error();
  model.sha256 = std::move(*hash);
  auto speed = eval::measure_speed(
      model,
      {.threads = settings.threads,
       .seconds_max = seconds,
       .progress = [&](const std::string& what) {
         terminal.status(printable(model.name) + ": " + what);
       }},
      context.clock, context.stop);
  terminal.status("");
  if (!speed) return speed.error();
  if (auto kept = measured_store(context).keep(*speed); !kept) return kept.error();
  return speed;
}

std::optional<catalog::MeasuredSpeed> measured_speed(const catalog::InstalledModel& model,
                                                     int threads, const Context& context) {
  if (model.sha256.empty()) return std::nullopt;  // computing it takes a second a gigabyte
  return measured_store(context).find(eval::measured_on(model.sha256, threads));
}

std::string speed_text(const catalog::MeasuredSpeed& speed) {
  return speed.generates() ? fmt::format("{:.1f} tokens/s", speed.answer_tokens_rate)
                           : fmt::format("{:.0f} texts/s", speed.texts_rate);
}

SpeedJson speed_json(const std::optional<catalog::MeasuredSpeed>& speed) {
  if (!speed) return nullptr;
  const auto rate = [](double value) { return value > 0 ? SpeedJson(value) : SpeedJson(nullptr); };
  return {{"model", speed->model},
          {"sha256", speed->on.model_sha256},
          {"date", utc_day(speed->at)},
          {"engine", speed->on.engine},
          {"processor", speed->on.processor},
          {"threads", speed->on.threads},
          {"load_seconds", speed->load_seconds},
          {"memory_bytes", speed->memory_bytes},
          {"prompt_tokens_per_second", rate(speed->prompt_tokens_rate)},
          {"answer_tokens_per_second", rate(speed->answer_tokens_rate)},
          {"prompt_tokens", speed->prompt_tokens},
          {"answer_tokens", speed->answer_tokens},
          {"texts_per_second", rate(speed->texts_rate)},
          {"text_tokens_per_second", rate(speed->text_tokens_rate)},
          {"watts", speed->watts ? SpeedJson(*speed->watts) : SpeedJson(nullptr)}};
}

void add_models_measure(CLI::App& models, Context& context) {
  auto options = std::make_shared<MeasureOptions>();
  CLI::App* measure = models.add_subcommand(
      "measure", "How fast installed models are on this machine, and what they take");
  measure->add_option("model", options->names, "Names or paths; none: all that are installed");
  measure->add_option("--seconds", options->seconds, "Time for one model, aimed at")
      ->check(CLI::Range(1.0, 600.0))
      ->type_name("S");
  add_setting(*measure, context, "--threads", "threads", "Processor threads (0: all)");
  measure->add_flag("--json", options->json, "As JSON");
  measure->footer(
      "Kept until the file, the engine, the threads or the processor is another one, and used by\n"
      "`models list`, `models plan`, `models recommend` and `stats`. Measure while nothing else\n"
      "runs. Exit status 5: a model is missing, damaged, or over the memory budget.\n"
      "Examples:\n"
      "  tinyarms models measure\n"
      "  tinyarms models measure qwen2.5-coder-3b --threads 4 --json");
  measure->callback([options, &context] { run_measure(*options, context); });
}

}  // namespace tinyarms::cli
