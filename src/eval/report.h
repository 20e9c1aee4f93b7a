// Reports over the summaries of any number of runs: a leaderboard, comparisons, and pictures.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "eval/summary.h"
#include "plots/chart.h"

namespace tinyarms::eval {

struct NamedSummary {
  std::string name;  // the file's
  Summary summary;
};

struct ReportRequest {
  std::vector<NamedSummary> runs;
  // Two subjects (or "run:subject" where several runs have one) to be compared on every task both
  // measured.
  std::optional<std::pair<std::string, std::string>> compare;
};

// What every format shows, found out once.
struct LeaderRow {
  std::string run;
  const TaskResult* result = nullptr;
};
struct Report {
  const ReportRequest& request;  // outlives this
  std::vector<std::string> tasks;
  std::vector<LeaderRow> leaders;  // by task in the order of `tasks`, best first
  std::vector<Comparison> comparisons;
};

// Errors: InvalidArgument (no run; a subject that no run has, with the nearest).
Result<Report> make_report(const ReportRequest& request);

// What guessing and the trivial cascades come to on a task, of every run, each once.
struct BaselineRow {
  std::string name;  // "oracle", and the run's name after it where runs differ
  const Baseline* baseline = nullptr;
};
std::vector<BaselineRow> baseline_rows(const Report& report, const std::string& task);

// The first run's facts about a task; null where no run has it.
const TaskFacts* facts_of(const Report& report, const std::string& task);

// "smollm2", and the run's name after it where there are several runs.
std::string row_label(const Report& report, const LeaderRow& row);

std::string report_html(const Report& report);
std::string report_markdown(const Report& report);
std::string report_json(const Report& report);

// The pictures of one task; those without data are left out.
struct TaskPictures {
  std::vector<plots::BarChart> bars;  // accuracy, speed, memory
  std::vector<plots::XyChart> planes;  // cost and quality, risk and coverage, reliability
};
TaskPictures draw_task(const Report& report, const std::string& task);

}  // namespace tinyarms::eval
