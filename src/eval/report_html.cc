// The report as one HTML file: no script, nothing fetched, light or dark as the reader has it.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "eval/report.h"
#include "eval/statistics.h"
#include "plots/svg.h"

namespace tinyarms::eval {
namespace {

using plots::escape_markup;

constexpr std::string_view kPage = R"(
:root{--page:#fff;--panel:#f5f7f9} @media (prefers-color-scheme:dark){
:root{--page:#14181c;--panel:#1d2329}}
body{background:var(--page);color:var(--plot-text);font:15px/1.5 system-ui,sans-serif;
margin:0 auto;max-width:1080px;padding:24px}
h1{font-size:24px} h2{margin-top:40px;border-bottom:1px solid var(--plot-grid)}
table{border-collapse:collapse;margin:12px 0;font-variant-numeric:tabular-nums;display:block;
overflow-x:auto}
th,td{padding:4px 12px 4px 0;text-align:left;vertical-align:top}
th{border-bottom:1px solid var(--plot-faint)} td.n,th.n{text-align:right}
.faint{color:var(--plot-faint)} code{background:var(--panel);padding:1px 4px;border-radius:3px;
overflow-wrap:anywhere} .pictures{display:flex;flex-wrap:wrap;gap:24px;align-items:flex-start}
details{margin:12px 0} .warning{background:var(--panel);border-left:4px solid #d55e00;
padding:8px 12px}
)";

std::string leader_table(const Report& report, const std::string& task) {
  std::string out =
      "<table><tr><th>subject</th><th class=\"n\">accuracy</th><th>95 % interval</th>"
      "<th class=\"n\">right</th><th class=\"n\">measured</th><th class=\"n\">s/item</th>"
      "<th class=\"n\">tokens</th><th class=\"n\">memory</th></tr>\n";
  for (const LeaderRow& row : report.leaders) {
    const TaskResult& result = *row.result;
    if (result.task != task) continue;
    out += fmt::format(
        "<tr><td>{}</td><td class=\"n\">{:.1f} %</td><td>{:.1f} to {:.1f}</td>"
        "<td class=\"n\">{}</td><td class=\"n\">{} of {}</td><td class=\"n\">{:.2f}</td>"
        "<td class=\"n\">{}</td><td class=\"n\">{:.0f} MB</td></tr>\n",
        escape_markup(row_label(report, row)), percent(result.accuracy),
        percent(result.interval.low), percent(result.interval.high), result.correct,
        result.measured, result.planned, result.seconds_per_item(), result.tokens,
        static_cast<double>(result.peak_memory_bytes) / 1e6);
  }
  for (const BaselineRow& row : baseline_rows(report, task)) {
    out += fmt::format("<tr class=\"faint\"><td><i>{}</i></td><td class=\"n\">{:.1f} %</td>"
                       "<td colspan=\"6\">{}</td></tr>\n",
                       escape_markup(row.name), percent(row.baseline->accuracy),
                       escape_markup(row.baseline->what));
  }
  return out + "</table>\n";
}

std::string unmeasured_part(const Report& report, const std::string& task) {
  std::string out;
  for (const LeaderRow& row : report.leaders) {
    const TaskResult& result = *row.result;
    if (result.task != task || result.unmeasured + result.not_reached == 0) continue;
    out += fmt::format("<p class=\"warning\">{}: {} of {} could not be measured, {} were not "
                       "reached.",
                       escape_markup(row_label(report, row)), result.unmeasured, result.planned,
                       result.not_reached);
    for (const auto& [why, count] : result.failures) {
      out += fmt::format("<br>{} × {}", count, escape_markup(why));
    }
    out += "</p>\n";
  }
  return out;
}

std::string comparison_table(const Report& report, const std::string& task) {
  std::string rows;
  for (const Comparison& each : report.comparisons) {
    if (each.task != task || each.paired.items == 0) continue;
    const Paired& paired = each.paired;
    rows += fmt::format(
        "<tr><td>{} → {}</td><td class=\"n\">{:+.1f}</td><td>{:+.1f} to {:+.1f}</td>"
        "<td class=\"n\">{} : {}</td><td class=\"n\">{:.3g}</td><td class=\"n\">{}</td></tr>\n",
        escape_markup(each.first), escape_markup(each.second), percent(paired.difference),
        percent(paired.interval.low), percent(paired.interval.high), paired.only_second,
        paired.only_first, paired.p_value, paired.items);
  }
  if (rows.empty()) return "";
  return "<h3>Compared item by item</h3>\n<table><tr><th>from → to</th>"
         "<th class=\"n\">points</th><th>95 % interval</th><th class=\"n\">won : lost</th>"
         "<th class=\"n\">McNemar p</th><th class=\"n\">items</th></tr>\n" +
         rows + "</table>\n";
}

std::string figures_table(const Report& report, const std::string& task) {
  std::string rows;
  for (const NamedSummary& run : report.request.runs) {
    for (const EmbeddingFigure& figure : run.summary.figures) {
      if (figure.task != task) continue;
      rows += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"n\">{:.4f}</td>"
                          "<td>{:.4f} to {:.4f}</td><td class=\"n\">{}</td></tr>\n",
                          escape_markup(figure.subject), escape_markup(figure.name), figure.value,
                          figure.interval.low, figure.interval.high, figure.items);
    }
  }
  if (rows.empty()) return "";
  return "<table><tr><th>subject</th><th>figure</th><th class=\"n\">value</th>"
         "<th>95 % interval</th><th class=\"n\">items</th></tr>\n" +
         rows + "</table>\n";
}

std::string task_part(const Report& report, const std::string& task) {
  std::string out = fmt::format("<h2>{}</h2>\n", escape_markup(task));
  if (const TaskFacts* facts = facts_of(report, task)) {
    out += fmt::format("<p class=\"faint\">{} of {} items{}{}</p>\n", facts->items,
                       facts->available,
                       facts->caveat.empty() ? "" : "; " + escape_markup(facts->caveat),
                       facts->problem.empty()
                           ? ""
                           : " Not measured: " + escape_markup(facts->problem));
  }
  const TaskPictures pictures = draw_task(report, task);
  if (!pictures.bars.empty()) out += leader_table(report, task);
  out += unmeasured_part(report, task) + figures_table(report, task);
  out += comparison_table(report, task);
  out += "<div class=\"pictures\">\n";
  for (const plots::BarChart& chart : pictures.bars) out += plots::svg(chart);
  for (const plots::XyChart& chart : pictures.planes) out += plots::svg(chart);
  return out + "</div>\n";
}

std::string run_part(const NamedSummary& run) {
  const Summary& summary = run.summary;
  const auto started = static_cast<std::time_t>(summary.started);
  std::string out = fmt::format(
      "<h3>{}</h3>\n<p>{:%Y-%m-%d %H:%M} UTC, tinyArms {}{}<br><code>{}</code></p>\n"
      "<p class=\"faint\">{}<br>{}<br>temperature {}, seed {}, samples {}</p>\n",
      escape_markup(run.name), fmt::gmtime(started), escape_markup(summary.version),
      summary.complete ? "" : " — <b>not complete</b>", escape_markup(summary.command),
      escape_markup(summary.machine), escape_markup(summary.engine), summary.temperature,
      summary.seed, summary.samples);
  out += "<details><summary>Hashes</summary><table>";
  for (const SubjectFacts& subject : summary.subjects) {
    out += fmt::format("<tr><td>{}</td><td><code>{}</code> {}{}</td></tr>\n",
                       escape_markup(subject.name), escape_markup(subject.fingerprint),
                       escape_markup(subject.note), escape_markup(subject.problem));
  }
  for (const TaskFacts& task : summary.tasks) {
    out += fmt::format("<tr><td>{}</td><td>data <code>{}</code> prompts <code>{}</code></td>"
                       "</tr>\n",
                       escape_markup(task.name), escape_markup(task.data_sha), task.prompts_sha);
  }
  return out + "</table></details>\n";
}

}  // namespace

std::string report_html(const Report& report) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>tinyArms bench</title>\n";
  out += fmt::format("<style>{}{}</style></head><body>\n<h1>tinyArms bench</h1>\n",
                     plots::svg_style(), kPage);
  for (const std::string& task : report.tasks) out += task_part(report, task);
  out += "<h2>Runs</h2>\n";
  for (const NamedSummary& run : report.request.runs) out += run_part(run);
  return out + "</body></html>\n";
}

}  // namespace tinyarms::eval
