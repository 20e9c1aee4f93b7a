// tinyarms metrics: how good a score is, from records.
#include <CLI/CLI.hpp>
#include <memory>

#include "calibration/metrics_report.h"
#include "base/file.h"
#include "cli/calibration_charts.h"
#include "cli/context.h"
#include "cli/record_input.h"
#include "plots/svg.h"
#include "plots/terminal_plot.h"

namespace tinyarms::cli {
namespace {

struct MetricsOptions {
  calibration::MetricsRequest request;
  std::string svg;
  bool plot = false;
  bool json = false;
};

// reliability.svg (where the score is a probability) and risk-coverage.svg.
Result<void> write_pictures(const std::filesystem::path& folder,
                            const calibration::MetricsReport& report) {
  if (!report.reliability.empty()) {
    auto written =
        write_file_atomically(folder / "reliability.svg",
                              plots::svg_document(plots::svg(reliability_chart(report))));
    if (!written) return written;
  }
  return write_file_atomically(folder / "risk-coverage.svg",
                               plots::svg_document(plots::svg(risk_coverage_chart(report))));
}

void run_metrics(const MetricsOptions& options, Context& context) {
  auto report = calibration::report_metrics(options.request);
  if (!report) return fail_records(context, report.error(), options.json);
  if (!options.svg.empty()) {
    if (auto written = write_pictures(options.svg, *report); !written) {
      return context.fail(written.error(), options.json);
    }
  }
  if (options.plot && !options.json) {
    std::string pictures = plots::text_plot(risk_coverage_chart(*report));
    if (!report->reliability.empty()) {
      pictures = plots::text_plot(reliability_chart(*report)) + pictures;
    }
    context.terminal().out(printable(pictures));
  }
  context.terminal().out(options.json ? calibration::metrics_json(*report)
                                      : printable(calibration::metrics_text(*report)));
}

}  // namespace

void add_metrics(CLI::App& app, Context& context) {
  auto options = std::make_shared<MetricsOptions>();
  calibration::MetricsRequest& request = options->request;
  CLI::App* metrics = app.add_subcommand(
      "metrics", "How well a score tells right answers from wrong ones, with intervals");
  metrics->add_option("--records", request.scores.files, "Outcomes, one JSON object a line")
      ->required()
      ->type_name("FILE");
  metrics->add_option("--score", request.scores.score,
                      "A signal of the evidence, or prompt_length (default: confidence)")
      ->type_name("NAME");
  metrics->add_option("--tier", request.scores.tier, "Whose answers (default: the first)")
      ->type_name("NAME");
  metrics->add_flag("--lower-is-better", request.scores.lower_is_better,
                    "The score measures doubt, e.g. entropy");
  metrics->add_option("--bins", request.bins, "Of the reliability table")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  metrics->add_option("--resamples", request.bootstrap.resamples, "Of the bootstrap")
      ->check(CLI::Range(0, 100000))
      ->type_name("N");
  metrics->add_option("--confidence", request.bootstrap.confidence, "Of the intervals")
      ->check(CLI::Range(0.5, 0.9999))
      ->type_name("P");
  metrics->add_option("--seed", request.bootstrap.seed, "Of the bootstrap")->type_name("N");
  metrics->add_flag("--plot", options->plot, "Draw reliability and risk over coverage");
  metrics->add_option("--svg", options->svg, "The same pictures as files in this folder")
      ->type_name("DIR");
  add_record_options(*metrics, request.scores.read);
  metrics->add_flag("--json", options->json, "As JSON");
  metrics->footer("Example:\n  tinyarms metrics --records runs.jsonl --score margin_mean --json");
  metrics->callback([options, &context] { run_metrics(*options, context); });
}

}  // namespace tinyarms::cli
