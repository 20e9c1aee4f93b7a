// tinyarms calibrate: records and a target → calibrators, thresholds, and what they are worth.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "calibration/calibrate_report.h"
#include "catalog/model_store.h"
#include "cli/calibration_charts.h"
#include "cli/context.h"
#include "cli/record_input.h"
#include "plots/svg.h"
#include "plots/terminal_plot.h"
#include "service/calibrated_estimator.h"
#include "service/jitter_measure.h"
#include "service/model_places.h"

namespace tinyarms::cli {
namespace {

struct CalibrateOptions {
  calibration::CalibrateRequest request;
  std::string score;
  std::string target;
  double max_risk = 0;
  double early_abort = 0;  // 0: not asked for
  std::vector<std::string> swap_costs;
  std::string out;
  std::string svg;
  bool jitter = false;
  std::vector<std::string> models;
  size_t prompts = 40;
  bool plot = false;
  bool json = false;
};

Result<calibration::CalibrateRequest> read_options(const CalibrateOptions& options) {
  calibration::CalibrateRequest request = options.request;
  if (options.target.empty() == (options.max_risk == 0)) {
    return Error{ErrorCode::InvalidArgument, "one of --target and --max-risk is needed", "",
                 "for example --target accuracy=0.85"};
  }
  request.target = {.kind = calibration::TargetKind::MaxRisk,
                    .value = options.max_risk,
                    .confidence = request.bootstrap.confidence};
  if (!options.target.empty()) {
    if (auto parsed = calibration::parse_target(options.target, request); !parsed) {
      return parsed.error();
    }
  }
  if (options.early_abort > 0) request.early_abort = options.early_abort;
  if (!options.score.empty()) request.signals = {options.score};
  // Bench records do not say what ran them; to be of use where they were made is the common case.
  if (request.engine.empty()) request.engine = service::engine_build();
  if (request.sampler.empty()) request.sampler = "greedy";
  for (const std::string& text : options.swap_costs) {
    const size_t split = text.find('=');
    double cost = 0;
    if (split == std::string::npos || !CLI::detail::lexical_cast(text.substr(split + 1), cost)) {
      return Error{ErrorCode::InvalidArgument, "`" + text + "` is not tier=cost", "--swap-cost",
                   "for example --swap-cost l3=2.5"};
    }
    request.swap_cost[text.substr(0, split)] = cost;
  }
  return request;
}

// The plan's thresholds as terms that `policy.file` can name. A probability never is 1: that
// threshold keeps nothing. The last tier answers whatever reaches it.
std::string policy_toml(const calibration::CalibrateReport& report) {
  std::string text = fmt::format("# Thresholds that tinyarms calibrate chose from {} questions.\n",
                                 report.records);
  const std::vector<double>& thresholds = report.choice.plan.thresholds;
  for (size_t t = 0; t < report.tiers.size(); ++t) {
    if (!cascade::parse_level(report.tiers[t])) continue;
    const bool last = t >= thresholds.size();
    const double value = last ? 0 : std::isfinite(thresholds[t]) ? thresholds[t] : 1;
    text += fmt::format("\n[tier.{}]\nthreshold = {}\n", report.tiers[t], value);
  }
  return text;
}

std::string file_name(const std::string& kind, std::string tier) {
  for (char& c : tier) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain) c = '_';
  }
  return kind + "-" + tier + ".json";
}

// A test of an earlier run must not go on where this one found that none holds.
Result<void> write_early_abort(const std::filesystem::path& root,
                               const calibration::TierEarlyAbort& fitted) {
  const std::filesystem::path file = root / file_name("early-abort", fitted.tier);
  if (fitted.file) return write_file_atomically(file, calibration::early_abort_json(*fitted.file));
  std::error_code problem;
  std::filesystem::remove(file, problem);
  if (!problem) return {};
  return Error{ErrorCode::Io, "the test of an earlier run cannot be removed: " + problem.message(),
               file.string(), "remove it"};
}

// One file a tier; each appears whole or not at all.
Result<void> write_files(const std::string& folder, const calibration::CalibrateReport& report) {
  const std::filesystem::path root = folder;
  for (const calibration::CalibratorSetFit& fit : report.calibrators) {
    auto written = write_file_atomically(root / file_name("calibrator", fit.set.tier),
                                         calibration::calibrators_json(fit.set));
    if (!written) return written;
  }
  for (const calibration::TierEarlyAbort& fitted : report.early_aborts) {
    if (auto written = write_early_abort(root, fitted); !written) return written;
  }
  if (auto written = write_file_atomically(root / "policy.toml", policy_toml(report)); !written) {
    return written;
  }
  return write_file_atomically(root / "plan.json", calibration::calibrate_json(report));
}

// Of the tiers' models where none is named.
void run_jitter(const CalibrateOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const service::Settings& settings = loaded->settings;
  std::vector<std::string> names = options.models;
  if (names.empty()) {
    for (const service::NamedModel& one : service::named_models(settings)) {
      if (std::find(names.begin(), names.end(), one.model) == names.end()) {
        names.push_back(one.model);
      }
    }
  }
  const catalog::ModelStore store(context.paths.models_dir);
  const Terminal terminal = context.terminal(settings);
  std::string text;
  std::string json = "[";
  for (const std::string& name : names) {
    auto model = store.find(name);
    if (!model) return context.fail(model.error(), options.json);
    auto jitter = service::measure_jitter(
        store, *model,
        {.prompts = options.prompts,
         .threads = settings.threads,
         .progress = [&](size_t done, size_t total) {
           terminal.status(fmt::format("{}: {}/{} prompts", model->name, done, total));
         }},
        context.stop);
    terminal.status("");
    if (!jitter) return context.fail(jitter.error(), options.json);
    const std::string file = calibration::jitter_json(*jitter);
    if (!options.out.empty()) {
      auto written = write_file_atomically(
          std::filesystem::path(options.out) / ("jitter-" + model->name + ".json"), file);
      if (!written) return context.fail(written.error(), options.json);
    }
    json += (json.size() > 1 ? ",\n" : "\n") + file;
    text += service::jitter_text(model->name, *jitter);
  }
  terminal.out(options.json ? json + "]\n" : printable(text));
}

void run_calibrate(const CalibrateOptions& options, Context& context) {
  if (options.jitter) return run_jitter(options, context);
  auto request = read_options(options);
  if (!request) return context.fail(request.error(), options.json);
  auto report = calibration::calibrate(*request);
  if (!report) return fail_records(context, report.error(), options.json);
  if (!options.out.empty() && report->by_prompt) {
    return context.fail({ErrorCode::InvalidArgument,
                         "the records hold no evidence about answers to fit a calibrator to",
                         "--out", "give records with `evidence`, or leave --out away"},
                        options.json);
  }
  if (!options.out.empty() && report->choice.feasible) {
    if (auto written = write_files(options.out, *report); !written) {
      return context.fail(written.error(), options.json);
    }
  }
  const plots::XyChart chart = cost_quality_chart(*report);
  if (!options.svg.empty()) {
    auto written = write_file_atomically(options.svg, plots::svg_document(plots::svg(chart)));
    if (!written) return context.fail(written.error(), options.json);
  }
  if (options.plot && !options.json) context.terminal().out(printable(plots::text_plot(chart)));
  context.terminal().out(options.json ? calibration::calibrate_json(*report)
                                      : printable(calibration::calibrate_text(*report)));
  const bool tested = std::all_of(
      report->early_aborts.begin(), report->early_aborts.end(),
      [](const calibration::TierEarlyAbort& fitted) { return fitted.file.has_value(); });
  if (!report->choice.feasible || !tested) context.exit = Exit::LowConfidence;
}

}  // namespace

void add_calibrate(CLI::App& app, Context& context) {
  auto options = std::make_shared<CalibrateOptions>();
  calibration::CalibrateRequest& request = options->request;
  CLI::App* calibrate = app.add_subcommand(
      "calibrate", "Fit P(right) and choose every tier's threshold from a target");
  CLI::Option* records = calibrate
                             ->add_option("--records", request.files,
                                          "Outcomes, one JSON object a line")
                             ->type_name("FILE");
  calibrate
      ->add_flag("--jitter", options->jitter,
                 "Measure how far evidence moves with the manner of computing, on the model itself")
      ->excludes(records);
  calibrate->add_option("--model", options->models, "Whose jitter (default: those of L2 and L3)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME");
  calibrate->add_option("--prompts", options->prompts, "Questions that jitter is measured on")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  add_setting(*calibrate, context, "--threads", "threads", "Processor threads (0: all)");
  calibrate->add_option("--target", options->target, "What the cascade is to reach")
      ->type_name("accuracy=P|cost=C|cost=N%");
  calibrate->add_option("--max-risk", options->max_risk, "Wrong answers at most this, certified")
      ->check(CLI::Range(0.0001, 0.9999))
      ->type_name("P");
  calibrate
      ->add_option("--early-abort", options->early_abort,
                   "Also fit a test that stops hopeless drafts, at most this share of them right")
      ->check(CLI::Range(0.0001, 0.9999))
      ->type_name("P");
  calibrate->add_option("--confidence", request.bootstrap.confidence, "Of bound and intervals")
      ->check(CLI::Range(0.5, 0.9999))
      ->type_name("P");
  calibrate->add_option("--signals", request.signals, "What to read (default: all evidence)")
      ->delimiter(',')
      ->type_name("NAME");
  calibrate->add_option("--score", options->score, "Read this one signal alone")
      ->excludes("--signals")
      ->type_name("NAME");
  calibrate->add_option("--swap-cost", options->swap_costs, "Added when the tier is asked")
      ->type_name("TIER=COST");
  calibrate
      ->add_option("--engine", request.engine, "Build that served the records (default: this one)")
      ->type_name("TEXT");
  calibrate->add_option("--sampler", request.sampler, "Sampling of the records (default: greedy)")
      ->type_name("TEXT");
  calibrate->add_option("--out", options->out, "Write calibrators and plan into this folder")
      ->type_name("DIR");
  calibrate->add_flag("--plot", options->plot, "Draw accuracy over cost, baselines beside");
  calibrate->add_option("--svg", options->svg, "The same picture as a file")->type_name("FILE");
  add_record_options(*calibrate, request.read);
  calibrate->add_flag("--json", options->json, "As JSON");
  calibrate->footer(
      "Exit status 4: the target cannot be reached; the best that can be is shown. Also where no\n"
      "test for --early-abort can be fitted to a tier; the rest is written all the same.\n"
      "Examples:\n"
      "  tinyarms calibrate --records runs.jsonl --target accuracy=0.85\n"
      "  tinyarms calibrate --records runs.jsonl --max-risk 0.1 --confidence 0.95\n"
      "  tinyarms calibrate --records runs.jsonl --target cost=40% --out calibration/\n"
      "  tinyarms calibrate --records runs.jsonl --target cost=2 --early-abort 0.05 --out new/\n"
      "  tinyarms calibrate --jitter --out calibration/\n"
      "In use: calibration.files = [\"…/calibration\"],\n"
      "        policy.file = \"…/calibration/policy.toml\"");
  calibrate->callback([options, &context] {
    if (!options->jitter && options->request.files.empty()) throw CLI::RequiredError("--records");
    run_calibrate(*options, context);
  });
}

}  // namespace tinyarms::cli
