// tinyarms bench score: verdicts on samples that were made elsewhere.
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/bench_parts.h"
#include "eval/score_samples.h"
#include "eval/task_registry.h"
#include "sandbox/bubblewrap_judge.h"

namespace tinyarms::cli {
namespace {

struct ScoreCommandOptions {
  std::string task;
  std::string data;
  std::string samples;
  std::string output;
  int concurrency = 2;
  bool json = false;
};

void run_score(const ScoreCommandOptions& options, Context& context) {
  auto task = eval::find_task(options.task);
  if (!task) return fail_bench(context, task.error(), options.json);
  const auto judge = sandbox::make_judge();
  auto scored = eval::score_samples(**task,
                                    {.data = bench_data_folder(options.data, context),
                                     .samples = options.samples,
                                     .output = options.output,
                                     .concurrency = options.concurrency},
                                    *judge, context.stop);
  if (!scored) return fail_bench(context, scored.error(), options.json);
  if (context.stop.raised()) context.exit = Exit::Interrupted;
  context.terminal().out(options.json ? eval::scored_json(*scored)
                                      : printable(eval::scored_text(*scored)));
}

}  // namespace

void add_bench_score(CLI::App& bench, Context& context) {
  auto options = std::make_shared<ScoreCommandOptions>();
  CLI::App* score = bench.add_subcommand("score", "Score samples that were made elsewhere");
  score->add_option("--task", options->task, "Which task they answer")->required();
  score->add_option("--data", options->data, "Folder with the task's data")->type_name("DIR");
  score
      ->add_option("--samples", options->samples,
                   "JSON lines: {task_id, solution} or {task_id, completion}")
      ->required()
      ->type_name("FILE");
  score->add_option("--output", options->output, "Verdicts: {task_id, correct, reason}")
      ->required()
      ->type_name("FILE");
  score->add_option("--concurrency", options->concurrency, "Samples in work at once")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
  score->add_flag("--json", options->json, "The account as JSON");
  score->footer(
      "Example:\n"
      "  tinyarms bench score --task humaneval --data data --samples samples.jsonl \\\n"
      "    --output verdicts.jsonl");
  score->callback([options, &context] { run_score(*options, context); });
}

std::filesystem::path bench_data_folder(const std::string& named, const Context& context) {
  return named.empty() ? context.paths.data_dir / "bench" : std::filesystem::path(named);
}

void fail_bench(Context& context, const Error& error, bool json) {
  context.fail(error, json);
  const bool usage =
      error.code == ErrorCode::NotFound || error.code == ErrorCode::InvalidArgument;
  if (usage) context.exit = Exit::Usage;
}

}  // namespace tinyarms::cli
