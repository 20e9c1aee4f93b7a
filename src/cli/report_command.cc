// tinyarms report: what one or several runs of the bench came to, as one page.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "cli/context.h"
#include "eval/report.h"
#include "plots/terminal_plot.h"

namespace tinyarms::cli {
namespace {

struct ReportOptions {
  std::vector<std::string> files;
  std::vector<std::string> compare;
  std::string format = "text";
  std::string output;
};

Result<eval::NamedSummary> read_run(const std::string& file) {
  auto summary = eval::read_summary(file);
  if (!summary) return summary.error();
  return eval::NamedSummary{std::filesystem::path(file).stem().string(), std::move(*summary)};
}

std::string as_text(const eval::Report& report) {
  std::string out;
  for (const std::string& task : report.tasks) {
    const eval::TaskPictures pictures = eval::draw_task(report, task);
    for (const plots::BarChart& chart : pictures.bars) out += plots::text_plot(chart) + "\n";
    for (const plots::XyChart& chart : pictures.planes) out += plots::text_plot(chart) + "\n";
  }
  return out;
}

void run_report(const ReportOptions& options, Context& context) {
  const auto fail = [&](const Error& error) {
    context.fail(error, options.format == "json");
    context.exit = Exit::Usage;
  };
  eval::ReportRequest request;
  for (const std::string& file : options.files) {
    auto run = read_run(file);
    if (!run) return fail(run.error());
    request.runs.push_back(std::move(*run));
  }
  if (options.compare.size() == 2) request.compare = {options.compare[0], options.compare[1]};
  auto report = eval::make_report(request);
  if (!report) return fail(report.error());
  std::string text = options.format == "html"   ? eval::report_html(*report)
                     : options.format == "json" ? eval::report_json(*report)
                     : options.format == "md"   ? eval::report_markdown(*report)
                                                : printable(as_text(*report));
  if (options.output.empty()) return context.terminal().out(text);
  if (auto written = write_file_atomically(options.output, text); !written) {
    context.fail(written.error(), false);
  }
}

}  // namespace

void add_report(CLI::App& app, Context& context) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* report = app.add_subcommand("report", "Pictures and tables of what bench measured");
  report->add_option("results", options->files, "What bench --output wrote")
      ->required()
      ->type_name("FILE");
  report->add_option("--format", options->format, "text draws in the terminal")
      ->check(CLI::IsMember({"text", "md", "html", "json"}))
      ->type_name("text|md|html|json");
  report
      ->add_option("--compare", options->compare,
                   "Two subjects, item by item (RUN:SUBJECT where runs share a name)")
      ->expected(2)
      ->allow_extra_args(false)
      ->type_name("A B");
  report->add_option("--output", options->output, "Instead of standard output")
      ->type_name("FILE");
  report->footer(
      "Examples:\n"
      "  tinyarms report results/tiny.json\n"
      "  tinyarms report results/*.json --format html --output report.html\n"
      "  tinyarms report old.json new.json --format md --compare old:smollm2 new:smollm2");
  report->callback([options, &context] { run_report(*options, context); });
}

}  // namespace tinyarms::cli
