// The report as Markdown tables.
#include <fmt/format.h>

#include "eval/report.h"
#include "eval/statistics.h"

namespace tinyarms::eval {
namespace {

// A bar or a line break in a name would break the table.
std::string cell(std::string text) {
  for (char& c : text) {
    if (c == '|' || c == '\n') c = '/';
  }
  return text;
}

void add_leaders(const Report& report, const std::string& task, std::string& out) {
  bool head = false;
  for (const LeaderRow& row : report.leaders) {
    const TaskResult& result = *row.result;
    if (result.task != task) continue;
    if (!head) {
      out += "| subject | accuracy | 95 % interval | measured | s/item | memory |\n"
             "|---|---:|---|---:|---:|---:|\n";
      head = true;
    }
    out += fmt::format("| {} | {:.1f} % | {:.1f} to {:.1f} | {} of {} | {:.2f} | {:.0f} MB |\n",
                       cell(row_label(report, row)), percent(result.accuracy),
                       percent(result.interval.low), percent(result.interval.high),
                       result.measured, result.planned, result.seconds_per_item(),
                       static_cast<double>(result.peak_memory_bytes) / 1e6);
  }
  if (!head) return;
  for (const BaselineRow& row : baseline_rows(report, task)) {
    out += fmt::format("| *{}*: {} | {:.1f} % | | | | |\n", cell(row.name),
                       cell(row.baseline->what), percent(row.baseline->accuracy));
  }
}

void add_figures(const Report& report, const std::string& task, std::string& out) {
  for (const NamedSummary& run : report.request.runs) {
    for (const EmbeddingFigure& figure : run.summary.figures) {
      if (figure.task != task) continue;
      out += fmt::format("- {}: {} **{:.4f}** [{:.4f}, {:.4f}] over {} items\n",
                         cell(figure.subject), figure.name, figure.value, figure.interval.low,
                         figure.interval.high, figure.items);
    }
  }
}

void add_comparisons(const Report& report, const std::string& task, std::string& out) {
  for (const Comparison& each : report.comparisons) {
    if (each.task != task || each.paired.items == 0) continue;
    out += fmt::format("\n{} → {}: **{:+.1f} points** [{:+.1f}, {:+.1f}], won {} and lost {} of "
                       "{} items, McNemar p = {:.3g}\n",
                       cell(each.first), cell(each.second), percent(each.paired.difference),
                       percent(each.paired.interval.low), percent(each.paired.interval.high),
                       each.paired.only_second, each.paired.only_first, each.paired.items,
                       each.paired.p_value);
  }
}

}  // namespace

std::string report_markdown(const Report& report) {
  std::string out = "# tinyArms bench\n";
  for (const std::string& task : report.tasks) {
    out += fmt::format("\n## {}\n\n", cell(task));
    if (const TaskFacts* facts = facts_of(report, task)) {
      out += facts->problem.empty()
                 ? fmt::format("{} of {} items{}\n\n", facts->items, facts->available,
                               facts->caveat.empty() ? "" : "; " + facts->caveat)
                 : fmt::format("Not measured: {}\n", facts->problem);
    }
    add_leaders(report, task, out);
    add_figures(report, task, out);
    add_comparisons(report, task, out);
    for (const LeaderRow& row : report.leaders) {
      const TaskResult& result = *row.result;
      if (result.task != task || result.unmeasured + result.not_reached == 0) continue;
      out += fmt::format("\n{}: {} could not be measured, {} not reached\n",
                         cell(row_label(report, row)), result.unmeasured, result.not_reached);
    }
  }
  out += "\n## Runs\n";
  for (const NamedSummary& run : report.request.runs) {
    out += fmt::format("\n{}: `{}`\n\n{}; {}\n", cell(run.name), run.summary.command,
                       cell(run.summary.machine), cell(run.summary.engine));
  }
  return out;
}

}  // namespace tinyarms::eval
