// tinyarms bench: models and cascades over tasks, with records, and the scoring of samples that
// were made elsewhere.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "catalog/model_store.h"
#include "cli/bench_parts.h"
#include "cli/bench_progress.h"
#include "cli/build_info.h"
#include "cli/context.h"
#include "eval/bench.h"
#include "eval/embedding_task.h"
#include "eval/endpoint_subject.h"
#include "eval/model_subject.h"
#include "eval/model_variants.h"
#include "eval/summarise.h"
#include "eval/task_registry.h"
#include "sandbox/bubblewrap_judge.h"
#include "service/cascade_subject.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

struct BenchCommandOptions {
  std::vector<std::string> tasks;
  std::vector<std::string> models;
  std::vector<std::string> quantizations;
  std::vector<std::string> cascades;
  std::string endpoint;
  std::string endpoint_model;
  std::string api_key_env;
  std::string data;
  std::string output;
  std::string baseline;
  size_t limit = 0;
  int samples = 1;
  double temperature = 0;
  uint32_t seed = 0;
  int concurrency = 1;
  int context = 4096;
  bool resume = false;
  bool json = false;
};

// What repeats the figures; --resume and --json change none of them.
std::string command_of(const BenchCommandOptions& options, int threads) {
  std::string command = fmt::format("tinyarms bench --tasks {}", fmt::join(options.tasks, ","));
  const auto add_list = [&](const char* flag, const std::vector<std::string>& values) {
    if (!values.empty()) command += fmt::format(" {} {}", flag, fmt::join(values, ","));
  };
  add_list("--models", options.models);
  add_list("--quantizations", options.quantizations);
  add_list("--cascade", options.cascades);
  if (!options.endpoint.empty()) command += " --endpoint " + options.endpoint;
  if (!options.endpoint_model.empty()) command += " --endpoint-model " + options.endpoint_model;
  if (!options.data.empty()) command += " --data " + options.data;
  if (options.limit > 0) command += fmt::format(" --limit {}", options.limit);
  if (options.samples != 1) command += fmt::format(" --samples {}", options.samples);
  if (options.temperature > 0) command += fmt::format(" --temperature {}", options.temperature);
  if (options.seed != 0) command += fmt::format(" --seed {}", options.seed);
  if (options.concurrency != 1) command += fmt::format(" --concurrency {}", options.concurrency);
  if (threads != 0) command += fmt::format(" --threads {}", threads);
  return command + " --output " + options.output;
}

Result<std::vector<eval::BenchTask>> load_tasks(const BenchCommandOptions& options,
                                                const Context& context) {
  std::vector<eval::BenchTask> tasks;
  for (const std::string& name : options.tasks) {
    if (eval::find_embedding_task(name) != nullptr) continue;
    auto task = eval::find_task(name);
    if (!task) return task.error();
    tasks.push_back(eval::load_bench_task(
        **task, {.data = bench_data_folder(options.data, context), .limit = options.limit}));
  }
  return tasks;
}

Result<std::vector<eval::ModelVariant>> find_models(const BenchCommandOptions& options,
                                                    const service::Settings& settings,
                                                    const Terminal& terminal,
                                                    const Context& context) {
  return eval::find_variants(
      catalog::ModelStore(context.paths.models_dir),
      {.models = options.models,
       .quantizations = options.quantizations,
       .cache = context.paths.cache_dir / "quantized",
       .threads = settings.threads,
       .note = [&](const std::string& what) { terminal.note(printable(what)); }});
}

Result<std::vector<eval::SubjectSource>> find_subjects(
    const BenchCommandOptions& options, const service::Settings& settings,
    const std::vector<eval::ModelVariant>& variants, Context& context) {
  std::vector<eval::SubjectSource> subjects;
  for (const eval::ModelVariant& variant : variants) {
    if (variant.encoder) continue;
    const eval::ModelSubjectOptions subject{
        .name = variant.name,
        .path = variant.path,
        .sha256 = variant.sha256,
        .context_tokens = static_cast<uint32_t>(options.context),
        .threads = settings.threads};
    subjects.push_back({.name = variant.name, .note = variant.note, .open = [subject] {
                          return eval::open_model_subject(subject);
                        }});
  }
  if (!options.endpoint.empty()) {
    auto key = remote::key_from_environment(options.api_key_env);
    if (!key) return key.error();
    const eval::EndpointSubjectOptions subject{
        .endpoint = {.url = options.endpoint, .model = options.endpoint_model, .key = *key},
        .concurrency = options.concurrency};
    auto opened = eval::open_endpoint_subject(subject);
    if (!opened) return opened.error();
    subjects.push_back({.name = (*opened)->name(), .note = {}, .open = [subject] {
                          return eval::open_endpoint_subject(subject);
                        }});
  }
  for (const std::string& file : options.cascades) {
    service::CascadeSubjectOptions subject{.config_file = file,
                                           .sources = context.sources,
                                           .paths = context.paths,
                                           .clock = context.clock};
    subjects.push_back({.name = "cascade " + std::filesystem::path(file).stem().string(),
                        .note = {},
                        .open = [subject] { return service::open_cascade_subject(subject); }});
  }
  return subjects;
}

// Embedding tasks, on every encoder among the models.
Result<void> measure_encoders(const BenchCommandOptions& options,
                              const service::Settings& settings,
                              const std::vector<eval::ModelVariant>& variants,
                              eval::Summary& summary, const Context& context) {
  std::vector<const eval::EmbeddingTask*> tasks;
  for (const std::string& name : options.tasks) {
    const eval::EmbeddingTask* task = eval::find_embedding_task(name);
    if (task == nullptr) continue;
    tasks.push_back(task);
    eval::TaskFacts& facts = summary.tasks.emplace_back();
    facts.name = name;
    facts.caveat = task->caveat();
    if (options.limit > 0) {
      facts.caveat += fmt::format("; the first {} items at most (--limit)", options.limit);
    }
  }
  for (const eval::ModelVariant& variant : variants) {
    if (!variant.encoder || tasks.empty()) continue;
    eval::SubjectFacts facts{.name = variant.name,
                             .fingerprint = fmt::format("model {}", variant.sha256),
                             .note = variant.note,
                             .problem = {}};
    auto figures = eval::run_embedding_tasks(tasks,
                                             {.subject = variant.name,
                                              .model = variant.path,
                                              .threads = settings.threads,
                                              .data = bench_data_folder(options.data, context),
                                              .records = eval::records_folder(options.output),
                                              .limit = options.limit},
                                             context.stop);
    if (figures) {
      for (eval::EmbeddingFigure& figure : *figures) {
        summary.figures.push_back(std::move(figure));
      }
    } else if (figures.error().code == ErrorCode::Interrupted) {
      return figures.error();
    } else {
      facts.problem = figures.error().message();
    }
    summary.subjects.push_back(std::move(facts));
  }
  for (const eval::EmbeddingFigure& figure : summary.figures) {
    for (eval::TaskFacts& task : summary.tasks) {
      if (task.name == figure.task) task.items = task.available = figure.items;
    }
  }
  return {};
}

// Each task needs somebody who can do it.
Result<void> check_work(const BenchCommandOptions& options, bool encoders, bool answerers) {
  for (const std::string& name : options.tasks) {
    const bool embedding = eval::find_embedding_task(name) != nullptr;
    if (embedding ? encoders : answerers) continue;
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("there is nobody to be measured over `{}`", name), "",
                 embedding ? "name an encoder with --models"
                           : "name a generative model with --models, or --cascade or --endpoint"};
  }
  return {};
}

Result<void> add_old_run(const std::string& file, eval::Summary& summary,
                         std::vector<std::string>& notes) {
  auto before = eval::read_summary(file);
  if (!before) return before.error();
  const std::string name = std::filesystem::path(file).filename().string();
  for (eval::Comparison& each : eval::compare_runs(*before, summary, name, notes)) {
    summary.comparisons.push_back(std::move(each));
  }
  return {};
}

void run_bench(const BenchCommandOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const Terminal terminal = context.terminal(loaded->settings);
  const auto fail = [&](const Error& error) { fail_bench(context, error, options.json); };
  if (options.samples > 1 && options.temperature <= 0) {
    return fail({ErrorCode::InvalidArgument, "several samples at temperature 0 are all the same",
                 "--samples", "add --temperature 0.8, or draw one sample"});
  }
  auto tasks = load_tasks(options, context);
  if (!tasks) return fail(tasks.error());
  auto variants = find_models(options, loaded->settings, terminal, context);
  if (!variants) return fail(variants.error());
  auto subjects = find_subjects(options, loaded->settings, *variants, context);
  if (!subjects) return fail(subjects.error());
  const bool encoders = std::any_of(variants->begin(), variants->end(),
                                    [](const auto& variant) { return variant.encoder; });
  if (auto work = check_work(options, encoders, !subjects->empty()); !work) {
    return fail(work.error());
  }

  const auto judge = sandbox::make_judge();
  eval::BenchOptions bench{.output = options.output,
                           .resume = options.resume,
                           .run = {.sampling = {.temperature = options.temperature,
                                                .seed = options.seed},
                                   .samples = options.samples,
                                   .concurrency = options.concurrency},
                           .version = std::string(kVersion) + " " + std::string(kCommit),
                           .command = command_of(options, loaded->settings.threads)};
  std::optional<Result<eval::BenchRun>> run;
  {
    BenchProgress progress(terminal, context.clock);
    run = eval::run_bench(*tasks, *subjects, bench,
                          {.judge = *judge,
                           .clock = context.clock,
                           .stop = context.stop,
                           .listener = progress});
  }
  if (!*run) return fail(run->error());
  eval::Summary& summary = (*run)->summary;
  if (auto done = measure_encoders(options, loaded->settings, *variants, summary, context); !done) {
    return fail(done.error());
  }
  if (!options.baseline.empty()) {
    std::vector<std::string> notes;
    if (auto added = add_old_run(options.baseline, summary, notes); !added) {
      return fail(added.error());
    }
    for (const std::string& note : notes) terminal.note(printable("note: " + note));
  }
  if (auto written = write_file_atomically(options.output, eval::summary_json(summary));
      !written) {
    return fail(written.error());
  }
  terminal.out(options.json ? eval::summary_json(summary)
                            : printable(eval::summary_text(summary)) +
                                  fmt::format("written to {}\n", printable(options.output)));
  if ((*run)->interrupted) context.exit = Exit::Interrupted;
}

void add_list(CLI::App& app, const char* flag, std::vector<std::string>& values,
              const char* description, const char* type) {
  app.add_option(flag, values, description)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name(type);
}

}  // namespace

void add_bench(CLI::App& app, Context& context) {
  auto options = std::make_shared<BenchCommandOptions>();
  CLI::App* bench = app.add_subcommand(
      "bench", "Measure models, quantisations and cascades over tasks, resumably");
  add_list(*bench, "--tasks", options->tasks, "Which tasks (tinyarms data list)", "A,B");
  add_list(*bench, "--models", options->models, "Names in the model store, or GGUF paths", "A,B");
  add_list(*bench, "--quantizations", options->quantizations,
           "Of each model; what is not installed is quantised into the cache", "q4,q8");
  add_list(*bench, "--cascade", options->cascades, "A configuration file, measured as a whole",
           "FILE");
  bench->add_option("--endpoint", options->endpoint, "An OpenAI-compatible engine's root")
      ->type_name("URL");
  bench->add_option("--endpoint-model", options->endpoint_model, "The name that engine knows")
      ->type_name("NAME");
  bench
      ->add_option("--api-key-env", options->api_key_env,
                   "The environment variable that holds the endpoint's key")
      ->type_name("NAME");
  bench->add_option("--data", options->data, "Folder with the tasks' data")->type_name("DIR");
  bench->add_option("--output", options->output, "The summary; records lie beside it")
      ->type_name("FILE");
  bench->add_option("--baseline", options->baseline, "An earlier summary to compare with")
      ->type_name("FILE");
  bench->add_option("--limit", options->limit, "Items a task, evenly spread (0: all)")
      ->type_name("N");
  bench->add_option("--samples", options->samples, "Answers an item, for pass@k")
      ->check(CLI::Range(1, 10000))
      ->type_name("N");
  bench->add_option("--temperature", options->temperature, "0 is greedy")
      ->check(CLI::Range(0.0, 10.0))
      ->type_name("T");
  bench->add_option("--seed", options->seed, "Of sampling")->type_name("N");
  bench->add_option("--concurrency", options->concurrency, "Items in work at once")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
  bench->add_option("--context", options->context, "Tokens a model's context holds")
      ->check(CLI::Range(64, 1 << 20))
      ->type_name("N");
  add_setting(*bench, context, "--threads", "threads", "Processor threads (0: all)");
  bench->add_flag("--resume", options->resume, "Go on with what an interrupted run left");
  bench->add_flag("--json", options->json, "The summary as JSON on stdout too");
  bench->footer(
      "Examples:\n"
      "  tinyarms bench --tasks tiny --models smollm2-135m --output results/tiny.json\n"
      "  tinyarms bench --tasks mmlu_coding --data data --models smollm2-135m \\\n"
      "    --quantizations q4,q8 --limit 100 --output results/mmlu.json\n"
      "  tinyarms bench --tasks tiny --cascade fast.toml --output results/fast.json --resume\n"
      "  tinyarms bench score --task humaneval --data data --samples s.jsonl --output v.jsonl");
  add_bench_score(*bench, context);
  bench->callback([options, bench, &context] {
    if (!bench->get_subcommands().empty()) return;
    if (options->tasks.empty()) throw CLI::RequiredError("--tasks");
    if (options->output.empty()) throw CLI::RequiredError("--output");
    run_bench(*options, context);
  });
}

}  // namespace tinyarms::cli
