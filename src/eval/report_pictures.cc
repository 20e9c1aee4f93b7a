// A task's figures as charts.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/report.h"
#include "eval/statistics.h"

namespace tinyarms::eval {
namespace {

plots::Range percent_range(const Interval& interval) {
  return {percent(interval.low), percent(interval.high)};
}

struct PictureRows {
  std::vector<const LeaderRow*> rows;
  std::vector<std::string> labels;
};

PictureRows rows_of(const Report& report, const std::string& task) {
  PictureRows rows;
  for (const LeaderRow& row : report.leaders) {
    if (row.result->task != task) continue;
    rows.rows.push_back(&row);
    rows.labels.push_back(row_label(report, row));
  }
  return rows;
}

plots::BarChart accuracy(const Report& report, const PictureRows& rows, const std::string& task) {
  plots::BarChart chart{
      .title = task + ": accuracy, 95 % intervals", .unit = "%", .rows = {}, .maximum = 100.0};
  for (size_t i = 0; i < rows.rows.size(); ++i) {
    const TaskResult& result = *rows.rows[i]->result;
    chart.rows.push_back({.label = rows.labels[i],
                          .value = percent(result.accuracy),
                          .interval = percent_range(result.interval),
                          .note = fmt::format("({}/{})", result.correct, result.measured)});
    if (rows.rows.size() > 3) continue;
    for (const GroupResult& group : result.groups) {
      if (result.groups.size() < 2) break;
      chart.rows.push_back({.label = "· " + group.name,
                            .value = percent(static_cast<double>(group.count.hits) /
                                             static_cast<double>(group.count.trials)),
                            .interval = percent_range(wilson(group.count)),
                            .note = fmt::format("({}/{})", group.count.hits, group.count.trials),
                            .colour = 5});
    }
  }
  for (const Baseline& baseline : report.request.runs.front().summary.baselines) {
    if (baseline.task != task) continue;
    chart.rows.push_back({.label = baseline.name,
                          .value = percent(baseline.accuracy),
                          .note = baseline.what,
                          .colour = 3});
  }
  return chart;
}

plots::BarChart speed(const PictureRows& rows) {
  plots::BarChart chart{.title = "Seconds an item", .unit = "s", .rows = {}, .decimals = 2};
  for (size_t i = 0; i < rows.rows.size(); ++i) {
    chart.rows.push_back({.label = rows.labels[i],
                          .value = rows.rows[i]->result->seconds_per_item(),
                          .note = fmt::format("· {} tokens written", rows.rows[i]->result->tokens),
                          .colour = 1});
  }
  return chart;
}

plots::BarChart memory(const PictureRows& rows) {
  plots::BarChart chart{.title = "Peak memory", .unit = "MB", .rows = {}, .decimals = 0};
  for (size_t i = 0; i < rows.rows.size(); ++i) {
    const uint64_t bytes = rows.rows[i]->result->peak_memory_bytes;
    if (bytes == 0) continue;
    chart.rows.push_back(
        {.label = rows.labels[i], .value = static_cast<double>(bytes) / 1e6, .colour = 2});
  }
  return chart;
}

// A colour a subject: names beside the points would lie on each other where points are near.
plots::XyChart cost_and_quality(const PictureRows& rows) {
  plots::XyChart chart{.title = "Cost and quality",
                       .x = {.label = "seconds an item", .range = {}, .logarithmic = true},
                       .y = {.label = "accuracy, %", .range = plots::Range{0, 100}},
                       .series = {}};
  for (size_t i = 0; i < rows.rows.size(); ++i) {
    const TaskResult& result = *rows.rows[i]->result;
    chart.series.push_back({.name = rows.labels[i],
                            .points = {{.x = result.seconds_per_item(),
                                        .y = percent(result.accuracy),
                                        .y_interval = percent_range(result.interval)}},
                            .line = false});
  }
  return chart;
}

plots::XyChart risk_and_coverage(const PictureRows& rows) {
  plots::XyChart chart{.title = "Risk and coverage: answer only where the evidence is sure",
                       .x = {.label = "answered, %", .range = plots::Range{0, 100}},
                       .y = {.label = "wrong among the answered, %",
                             .range = plots::Range{0, 100}},
                       .series = {}};
  for (size_t i = 0; i < rows.rows.size(); ++i) {
    const ConfidenceResult& confidence = rows.rows[i]->result->confidence;
    if (confidence.risk_coverage.size() < 2) continue;
    const std::string auroc = std::isnan(confidence.auroc)
                                  ? "no AUROC: all answers came out alike"
                                  : fmt::format("AUROC {:.3f}", confidence.auroc);
    plots::Series series{
        .name = fmt::format("{}: {}, {}", rows.labels[i], confidence.signal, auroc),
        .points = {}};
    for (const auto& point : confidence.risk_coverage) {
      series.points.push_back({.x = percent(point.coverage), .y = percent(point.risk)});
    }
    chart.series.push_back(std::move(series));
  }
  return chart;
}

plots::XyChart reliability(const PictureRows& rows) {
  plots::XyChart chart{.title = "Reliability: forecast against outcome",
                       .x = {.label = "mean forecast, %", .range = plots::Range{0, 100}},
                       .y = {.label = "right, %", .range = plots::Range{0, 100}},
                       .series = {},
                       .diagonal = true};
  for (size_t i = 0; i < rows.rows.size(); ++i) {
    const ConfidenceResult& confidence = rows.rows[i]->result->confidence;
    if (confidence.reliability.empty()) continue;
    plots::Series series{.name = fmt::format("{}: {}, ECE {:.3f}", rows.labels[i],
                                             confidence.signal, confidence.ece),
                         .points = {}};
    for (const auto& bin : confidence.reliability) {
      const auto hits = static_cast<uint64_t>(
          std::lround(bin.observed * static_cast<double>(bin.count)));
      series.points.push_back({.x = percent(bin.mean_forecast),
                               .y = percent(bin.observed),
                               .y_interval =
                                   percent_range(wilson({.hits = hits, .trials = bin.count}))});
    }
    chart.series.push_back(std::move(series));
  }
  return chart;
}

}  // namespace

TaskPictures draw_task(const Report& report, const std::string& task) {
  const PictureRows rows = rows_of(report, task);
  TaskPictures pictures;
  if (rows.rows.empty()) return pictures;
  pictures.bars = {accuracy(report, rows, task), speed(rows), memory(rows)};
  std::erase_if(pictures.bars, [](const plots::BarChart& chart) { return chart.rows.empty(); });
  pictures.planes = {cost_and_quality(rows), risk_and_coverage(rows), reliability(rows)};
  std::erase_if(pictures.planes, [](const plots::XyChart& chart) { return chart.series.empty(); });
  return pictures;
}

}  // namespace tinyarms::eval
