// tinyarms signals: what can be measured about an answer, measuring it, and what it is worth.
#include "signals/registry.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "calibration/signal_worth.h"
#include "catalog/model_store.h"
#include "cli/bench_parts.h"
#include "cli/context.h"
#include "cli/record_input.h"
#include "eval/enrich.h"
#include "sandbox/bubblewrap_judge.h"
#include "service/signal_kinds.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;

struct SignalsOptions {
  std::vector<std::string> names;
  std::string records;
  std::string output;
  std::string data;
  std::string model;
  std::string next_model;
  std::string encoder;
  int context = 4096;
  size_t limit = 0;
  bool json = false;
};

void run_list(bool as_json, Context& context) {
  auto loaded = context.load_settings(as_json);
  if (!loaded) return;
  const std::vector<std::string>& on = loaded->settings.signals.enabled;
  Json json = Json::array();
  std::string text = fmt::format("{:18} {:4} {:12} {:12} {}\n", "name", "on", "cost", "range",
                                 "what");
  for (const service::SignalFacts& facts : service::signal_facts()) {
    const bool used = facts.always || std::find(on.begin(), on.end(), facts.name) != on.end();
    json.push_back({{"name", facts.name},
                    {"on", used},
                    {"cost", facts.cost},
                    {"low", facts.low},
                    {"high", facts.high},
                    {"meaning", facts.meaning}});
    text += fmt::format("{:18} {:4} {:12} {:12} {}\n", facts.name, used ? "yes" : "no", facts.cost,
                        fmt::format("{:g}..{:g}", facts.low, facts.high), facts.meaning);
  }
  text += "on: signals.enabled in the configuration; the generation pass's are always there\n";
  context.terminal().out(as_json ? json.dump(2) + "\n" : text);
}

Result<std::filesystem::path> find_model(const std::string& name, const Context& context) {
  if (name.empty()) return std::filesystem::path();
  auto model = catalog::ModelStore(context.paths.models_dir).find(name);
  if (!model) return model.error();
  return model->path;
}

std::string account_text(const eval::EnrichReport& report) {
  std::string text = fmt::format("{} records, {} of them now\n", report.records, report.added);
  for (const auto& [name, account] : report.signals) {
    const size_t tried = account.measured + account.absent + account.failed;
    text += fmt::format("  {:18} {} measured, {} did not apply, {} failed, {:.1f} ms each\n", name,
                        account.measured, account.absent, account.failed,
                        1000 * account.seconds / static_cast<double>(std::max<size_t>(1, tried)));
    if (!account.problem.empty()) text += fmt::format("    first failure: {}\n", account.problem);
  }
  return text;
}

Json account_json(const eval::EnrichReport& report) {
  Json json = {{"records", report.records}, {"added", report.added}, {"signals", Json::object()}};
  for (const auto& [name, account] : report.signals) {
    json["signals"][name] = {{"measured", account.measured},
                             {"absent", account.absent},
                             {"failed", account.failed},
                             {"problem", account.problem},
                             {"seconds", account.seconds}};
  }
  return json;
}

void run_measure(const SignalsOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const auto fail = [&](const Error& error) { fail_bench(context, error, options.json); };
  auto panel = signals::Panel::of(options.names);
  if (!panel) return fail(panel.error());
  auto model = find_model(options.model, context);
  if (!model) return fail(model.error());
  auto next = find_model(options.next_model, context);
  if (!next) return fail(next.error());
  auto encoder = find_model(options.encoder, context);
  if (!encoder) return fail(encoder.error());
  const auto judge = sandbox::make_judge();
  const Terminal terminal = context.terminal(loaded->settings);
  auto report = eval::enrich_records({.records = options.records,
                                      .output = options.output,
                                      .data = bench_data_folder(options.data, context),
                                      .model = *model,
                                      .next_model = *next,
                                      .encoder = *encoder,
                                      .context_tokens = static_cast<uint32_t>(options.context),
                                      .threads = loaded->settings.threads,
                                      .limit = options.limit},
                                     *panel,
                                     {.judge = *judge,
                                      .clock = context.clock,
                                      .stop = context.stop,
                                      .progress = [&](size_t done, size_t total) {
                                        terminal.status(fmt::format("{}/{} records", done, total));
                                      }});
  terminal.status("");
  if (!report) return fail(report.error());
  terminal.out(options.json ? account_json(*report).dump(2) + "\n"
                            : printable(account_text(*report)));
  if (report->interrupted) context.exit = Exit::Interrupted;
}

struct WorthOptions {
  calibration::WorthRequest request;
  bool json = false;
};

void run_worth(const WorthOptions& options, Context& context) {
  calibration::WorthRequest request = options.request;
  request.combinations = service::signal_combinations();
  auto report = calibration::measure_worth(request);
  if (!report) return fail_records(context, report.error(), options.json);
  context.terminal().out(options.json ? calibration::worth_json(*report)
                                      : printable(calibration::worth_text(*report)));
}

void add_measure(CLI::App& signals, Context& context) {
  auto options = std::make_shared<SignalsOptions>();
  CLI::App* measure = signals.add_subcommand(
      "measure", "Add signals to the records of a bench, without asking the questions again");
  measure->add_option("--records", options->records, "Records of one model")
      ->required()
      ->type_name("FILE");
  measure->add_option("--signals", options->names, "Which (tinyarms signals list)")
      ->required()
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("A,B");
  measure->add_option("--output", options->output, "Where to; what is there is not done again")
      ->required()
      ->type_name("FILE");
  measure->add_option("--data", options->data, "Folder with the tasks' data")->type_name("DIR");
  measure->add_option("--model", options->model, "The model that answered, for p_true and the like")
      ->type_name("NAME");
  measure->add_option("--next-model", options->next_model, "A larger one, for p_true_next")
      ->type_name("NAME");
  measure->add_option("--encoder", options->encoder, "An embedding model, for the intent")
      ->type_name("NAME");
  measure->add_option("--context", options->context, "Tokens a model's context holds")
      ->check(CLI::Range(64, 1 << 20))
      ->type_name("N");
  measure->add_option("--limit", options->limit, "So many records, evenly spread (0: all)")
      ->type_name("N");
  add_setting(*measure, context, "--threads", "threads", "Processor threads (0: all)");
  measure->add_flag("--json", options->json, "As JSON");
  measure->footer(
      "Example:\n"
      "  tinyarms signals measure --records tiny.records/smollm2.jsonl \\\n"
      "    --signals examples_pass,compiles,p_true --model smollm2 --output more.jsonl");
  measure->callback([options, &context] { run_measure(*options, context); });
}

void add_worth(CLI::App& signals, Context& context) {
  auto options = std::make_shared<WorthOptions>();
  calibration::WorthRequest& request = options->request;
  CLI::App* worth = signals.add_subcommand(
      "worth", "AUROC of every signal and of combinations, and what they add, with intervals");
  worth->add_option("--records", request.files, "Outcomes, one JSON object a line")
      ->required()
      ->type_name("FILE");
  worth->add_option("--tier", request.tier, "Whose answers (default: the first)")
      ->type_name("NAME");
  worth->add_option("--base", request.base, "What gains are measured against")->type_name("NAME");
  worth->add_option("--resamples", request.bootstrap.resamples, "Of the bootstrap")
      ->check(CLI::Range(0, 100000))
      ->type_name("N");
  worth->add_option("--confidence", request.bootstrap.confidence, "Of the intervals")
      ->check(CLI::Range(0.5, 0.9999))
      ->type_name("P");
  add_record_options(*worth, request.read);
  worth->add_flag("--json", options->json, "As JSON");
  worth->footer("Example:\n  tinyarms signals worth --records runs.jsonl --base margin_mean");
  worth->callback([options, &context] { run_worth(*options, context); });
}

}  // namespace

void add_signals(CLI::App& app, Context& context) {
  CLI::App* signals =
      app.add_subcommand("signals", "Evidence about answers: what there is, what it is worth");
  signals->require_subcommand(1);
  auto json = std::make_shared<bool>(false);
  CLI::App* list = signals->add_subcommand("list", "Every signal, its range and its cost");
  list->add_flag("--json", *json, "As JSON");
  list->footer("Example:\n  tinyarms signals list");
  list->callback([json, &context] { run_list(*json, context); });
  add_measure(*signals, context);
  add_worth(*signals, context);
}

}  // namespace tinyarms::cli
