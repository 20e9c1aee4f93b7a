// tinyarms models trial: a model against the one in use, over the same questions, with a verdict.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/bench_parts.h"
#include "cli/bench_progress.h"
#include "cli/build_info.h"
#include "cli/models_commands.h"
#include "cli/own_failures.h"
#include "cli/trial_parts.h"
#include "eval/bench.h"
#include "eval/model_subject.h"
#include "eval/task_registry.h"
#include "eval/trial_calibrator.h"
#include "sandbox/bubblewrap_judge.h"
#include "service/calibrated_estimator.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

using catalog::InstalledModel;

constexpr size_t kTrialLimit = 160;  // of each task
constexpr double kTrialSpeedSeconds = 20;
constexpr uint32_t kTrialContext = 4096;  // against a model by name, which no tier gives one
// What foretelling the time assumes of a question that nobody has asked yet.
constexpr double kBytesPerToken = 4;
constexpr double kAnswerTokens = 64;

struct TrialOptions {
  std::string name;
  std::string against;
  std::vector<std::string> tasks = {"tiny"};
  std::string data;
  std::optional<size_t> limit;  // encoders: all, unless given
  size_t questions() const { return limit.value_or(kTrialLimit); }
  bool json = false;
};

struct Sides {
  InstalledModel in_use;
  InstalledModel on_trial;
  std::string level = "l2";  // whose answers a calibrator is to judge
  eval::Trial trial;         // its head: who, where, with what
};

eval::TrialModel trial_model(const InstalledModel& model) {
  return {.name = model.name,
          .sha256 = model.sha256,
          .quantization = model.quantization,
          .file_bytes = model.bytes};
}

Result<Sides> find_sides(const TrialOptions& options, const service::Settings& settings,
                         const catalog::ModelStore& store) {
  Sides sides;
  std::string in_use = options.against;
  sides.trial.context_tokens = kTrialContext;
  sides.trial.threads = settings.threads;
  if (const auto place = service::find_model_place(options.against)) {
    in_use = service::model_at(settings, *place);
    sides.level = place->level;
    sides.trial.tier = place->word;
    sides.trial.context_tokens =
        static_cast<uint32_t>(service::tier_at(settings, *place).context);
    if (in_use.empty()) {
      return Error{ErrorCode::Config, "no model is configured there that could be tried against",
                   std::string(place->key), "name a model with --against, or configure one"};
    }
  }
  auto first = find_generator(store, in_use);
  if (!first) return first.error();
  auto second = find_generator(store, options.name);
  if (!second) return second.error();
  const bool same_file = first->sha256 == second->sha256;
  if (same_file || first->name == second->name) {
    return Error{ErrorCode::InvalidArgument,
                 same_file ? "both are the same file" : "both have the same name", second->name,
                 same_file ? "name another model" : "import one of them under another name"};
  }
  sides.in_use = std::move(*first);
  sides.on_trial = std::move(*second);
  sides.trial.in_use = trial_model(sides.in_use);
  sides.trial.on_trial = trial_model(sides.on_trial);
  sides.trial.engine = service::engine_build();
  sides.trial.version = std::string(kVersion) + " " + std::string(kCommit);
  return sides;
}

// Those named, and `own` where there is anything to ask.
Result<std::vector<eval::BenchTask>> load_trial_tasks(const TrialOptions& options,
                                                      const eval::Task& own,
                                                      const Context& context) {
  std::vector<eval::BenchTask> tasks;
  for (const std::string& name : options.tasks) {
    auto task = eval::find_task(name);
    if (!task) return task.error();
    tasks.push_back(eval::load_bench_task(
        **task, {.data = bench_data_folder(options.data, context), .limit = options.questions()}));
    const std::string& problem = tasks.back().facts.problem;
    // A trial over fewer tasks than were named would be another trial.
    if (!problem.empty()) return Error{ErrorCode::NotFound, problem, name, "tinyarms data pull"};
  }
  eval::BenchTask failures = eval::load_bench_task(own, {});
  if (!failures.items.empty()) tasks.push_back(std::move(failures));
  return tasks;
}

// As measured before, else now: neither a model that does not fit nor one that does not load gets
// as far as the questions.
Result<void> add_speed(InstalledModel& model, eval::TrialModel& figures, uint32_t context_tokens,
                       const service::Settings& settings, const Terminal& terminal,
                       Context& context) {
  auto room = check_room(model, context_tokens, settings);
  if (!room) return room.error();
  figures.memory_bytes = *room;
  auto speed = measured_speed(model, settings.threads, context);
  if (!speed) {
    auto now = measure_model(model, kTrialSpeedSeconds, settings, terminal, context);
    if (!now) return now.error();
    speed = std::move(*now);
  }
  figures.prompt_tokens_rate = speed->prompt_tokens_rate;
  figures.answer_tokens_rate = speed->answer_tokens_rate;
  return {};
}

double foretold_seconds(const std::vector<eval::BenchTask>& tasks, const eval::TrialModel& model) {
  double seconds = 0;
  for (const eval::BenchTask& task : tasks) {
    for (const eval::Item& item : task.items) {
      double bytes = 0;
      for (const cascade::Message& message : item.messages) {
        bytes += static_cast<double>(message.content.size());
      }
      const double written =
          item.mode == eval::Mode::Choose ? 0
                                          : std::min<double>(kAnswerTokens, item.tokens_max);
      seconds += bytes / kBytesPerToken / std::max(1e-3, model.prompt_tokens_rate) +
                 written / std::max(1e-3, model.answer_tokens_rate);
    }
  }
  return seconds;
}

void say_first(const std::vector<eval::BenchTask>& tasks, const Sides& sides,
               const Terminal& terminal) {
  std::vector<std::string> parts;
  for (const eval::BenchTask& task : tasks) {
    parts.push_back(fmt::format("{} of the {} questions of {}", task.facts.items,
                                task.facts.available, task.facts.name));
  }
  const double seconds = foretold_seconds(tasks, sides.trial.in_use) +
                         foretold_seconds(tasks, sides.trial.on_trial);
  terminal.note(printable(fmt::format(
      "{} against {}: {} to each, about {:.0f} min by their measured speeds. Ctrl-C "
      "keeps what is done, the same command goes on; what was asked before is not asked again.",
      sides.on_trial.name, sides.in_use.name, fmt::join(parts, ", "),
      std::max(1.0, std::ceil(seconds / 60)))));
}

eval::SubjectSource subject_of(const InstalledModel& model, const eval::Trial& trial) {
  const eval::ModelSubjectOptions subject{.name = model.name,
                                          .path = model.path,
                                          .sha256 = model.sha256,
                                          .context_tokens = trial.context_tokens,
                                          .threads = trial.threads};
  return {.name = model.name, .note = {},
          .open = [subject] { return eval::open_model_subject(subject); }};
}

// Both models' answers; Interrupted where they are not complete.
Result<eval::Summary> ask_both(const TrialOptions& options, const Sides& sides,
                               const std::vector<eval::BenchTask>& tasks,
                               const eval::TrialFiles& files, const Terminal& terminal,
                               Context& context) {
  const auto judge = sandbox::make_judge();
  BenchProgress progress(terminal, context.clock);
  auto run = eval::run_bench(
      tasks, {subject_of(sides.in_use, sides.trial), subject_of(sides.on_trial, sides.trial)},
      {.output = files.bench(),
       .resume = true,
       .run = {},
       .version = sides.trial.version,
       .command = fmt::format("tinyarms models trial {} --against {} --tasks {} --limit {}",
                              options.name, options.against, fmt::join(options.tasks, ","),
                              options.questions())},
      {.judge = *judge, .clock = context.clock, .stop = context.stop, .listener = progress});
  if (!run) return run.error();
  if (run->interrupted) {
    return Error{ErrorCode::Interrupted, "stopped; what is answered is kept",
                 files.folder.string(), "the same command goes on"};
  }
  for (const eval::SubjectFacts& subject : run->summary.subjects) {
    if (subject.problem.empty()) continue;
    return Error{ErrorCode::Unsupported, subject.problem, subject.name,
                 "tinyarms models check FILE --load"};
  }
  return std::move(run->summary);
}

// Into the trial's folder; what cannot be fitted leaves none of an earlier run behind.
Result<void> keep_calibrator(Sides& sides, const eval::TrialFiles& files) {
  eval::TrialCalibrator fitted = eval::fit_trial_calibrator(
      {.records = eval::records_file(files.bench(), sides.on_trial.name),
       .subject = sides.on_trial.name,
       .level = sides.level,
       .engine = sides.trial.engine,
       .sampler = cascade::sampler_name({})});
  sides.trial.calibration = std::move(fitted.account);
  if (fitted.set) {
    return write_file_atomically(files.calibrator(), calibration::calibrators_json(*fitted.set));
  }
  std::error_code problem;
  std::filesystem::remove(files.calibrator(), problem);
  if (!problem) return {};
  return Error{ErrorCode::Io, "cannot be removed: " + problem.message(),
               files.calibrator().string(), "remove it"};
}

void show_trial(const TrialOptions& options, const Sides& sides, const eval::TrialFiles& files,
                const eval::TrialVerdict& verdict, const OwnFailures& own,
                const Terminal& terminal) {
  if (options.json) {
    auto json = nlohmann::ordered_json::parse(eval::trial_json(sides.trial, verdict));
    json["folder"] = files.folder.string();
    json["own_failures"] = own_failures_json(own);
    return terminal.out(service::json_text(json));
  }
  terminal.out(printable(trial_text(sides.trial, verdict)));
  terminal.note(own_failures_text(own));
  terminal.note(printable("kept in " + files.folder.string()));
  if (verdict.finding != eval::TrialFinding::Better) return;
  terminal.note(printable(fmt::format(
      "next: tinyarms models migrate {} --for {}", sides.on_trial.name,
      sides.trial.tier.empty() ? "TIER" : sides.trial.tier)));
}

void run_trial(const TrialOptions& options, Context& context) {
  const auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const service::Settings& settings = loaded->settings;
  const Terminal terminal = context.terminal(settings);
  const auto fail = [&](const Error& error) { context.fail(error, options.json); };
  const OwnFailures own = find_own_failures(context);
  const auto own_task = eval::make_own_failures(own.asked);
  auto tasks = load_trial_tasks(options, *own_task, context);
  if (!tasks) return fail_bench(context, tasks.error(), options.json);
  auto sides = find_sides(options, settings, catalog::ModelStore(context.paths.models_dir));
  if (!sides) return fail(sides.error());
  const uint32_t context_tokens = sides->trial.context_tokens;
  if (auto speed = add_speed(sides->in_use, sides->trial.in_use, context_tokens, settings, terminal,
                             context);
      !speed) {
    return fail(speed.error().wrap(sides->in_use.name));
  }
  if (auto speed = add_speed(sides->on_trial, sides->trial.on_trial, context_tokens, settings,
                             terminal, context);
      !speed) {
    return fail(speed.error().wrap(sides->on_trial.name));
  }
  say_first(*tasks, *sides, terminal);
  const eval::TrialFiles files =
      eval::trial_files(trials_folder(context.paths), sides->trial);
  auto summary = ask_both(options, *sides, *tasks, files, terminal, context);
  if (!summary) return fail(summary.error());
  eval::count_outcomes(*summary, sides->trial);
  if (auto fitted = keep_calibrator(*sides, files); !fitted) return fail(fitted.error());
  sides->trial.at = context.clock.wall_seconds();
  const eval::TrialVerdict verdict =
      eval::judge_trial(sides->trial, settings.models.trial_margin);
  if (auto written =
          write_file_atomically(files.trial(), eval::trial_json(sides->trial, verdict));
      !written) {
    return fail(written.error());
  }
  show_trial(options, *sides, files, verdict, own, terminal);
}

}  // namespace

void add_models_trial(CLI::App& models, Context& context) {
  auto options = std::make_shared<TrialOptions>();
  CLI::App* trial = models.add_subcommand(
      "trial", "A model against the one in use, over the same questions, with a verdict");
  trial->add_option("model", options->name, "The one on trial: its name, or a path")->required();
  trial
      ->add_option("--against", options->against,
                   "l1 (encoders), l2, l3, general (L2's second model), or a model")
      ->required()
      ->type_name("TIER|MODEL");
  trial->add_option("--tasks", options->tasks, "Which questions (tinyarms data list)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("A,B");
  trial->add_option("--data", options->data, "Folder with the tasks' data")->type_name("DIR");
  trial->add_option("--limit", options->limit, "Questions of each task, evenly spread (0: all)")
      ->type_name("N");
  add_setting(*trial, context, "--margin", "models.trial_margin",
              "Points that it must be better by");
  add_setting(*trial, context, "--threads", "threads", "Processor threads (0: all)");
  trial->add_flag("--json", options->json, "As JSON");
  trial->footer(
      "Better, worse or not shown, with a 95 % interval and an exact test; kept for\n"
      "`models migrate`, which asks nobody again. Exit status 0, whatever the verdict; 2: no such\n"
      "task, or its data is missing; 5: a model is missing, damaged or over the memory budget;\n"
      "130: stopped, the same command goes on.\n"
      "Against l1: how often what a query looks for is among the first three passages, with a set\n"
      "of your own (--data DIR: corpus.jsonl, queries.jsonl), speed and memory.\n"
      "Examples:\n"
      "  tinyarms models trial minilm.f16 --against l1 --data my-set\n"
      "  tinyarms models trial qwen2.5-coder-3b --against l2\n"
      "  tinyarms models trial new --against l3 --tasks tiny,humaneval --limit 0 --margin 2");
  trial->callback([options, &context] {
    if (options->against != "l1") return run_trial(*options, context);
    run_encoder_trial({.name = options->name,
                       .data = options->data,
                       .limit = options->limit.value_or(0),
                       .json = options->json},
                      context);
  });
}

}  // namespace tinyarms::cli
