#include "eval/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/nearest.h"

namespace tinyarms::eval {
namespace {

using Scores = std::map<std::string, double>;

void add_task(std::vector<std::string>& tasks, const std::string& name) {
  if (std::find(tasks.begin(), tasks.end(), name) == tasks.end()) tasks.push_back(name);
}

struct Chosen {
  const NamedSummary* run = nullptr;
  std::string subject;
};

Result<Chosen> find_subject(const ReportRequest& request, const std::string& word) {
  std::vector<std::string> known;
  for (const NamedSummary& run : request.runs) {
    for (const SubjectFacts& subject : run.summary.subjects) {
      if (word == subject.name || word == run.name + ":" + subject.name) {
        return Chosen{&run, subject.name};
      }
      known.push_back(subject.name);
    }
  }
  const auto near = nearest(word, known);
  return Error{ErrorCode::InvalidArgument, fmt::format("no run measured `{}`", word), "--compare",
               near ? fmt::format("did you mean `{}`?", *near)
                    : fmt::format("there are: {}", fmt::join(known, ", "))};
}

const Scores* scores_of(const Chosen& chosen, const std::string& task) {
  const auto& tasks = chosen.run->summary.scores;
  const auto at = tasks.find(task);
  if (at == tasks.end()) return nullptr;
  const auto scores = at->second.find(chosen.subject);
  return scores == at->second.end() ? nullptr : &scores->second;
}

void add_comparison(const Chosen& first, const Chosen& second, const std::string& task,
                    Report& report) {
  const Scores* a = scores_of(first, task);
  const Scores* b = scores_of(second, task);
  if (a == nullptr || b == nullptr) return;
  std::vector<ScorePair> pairs;
  for (const auto& [item, score] : *a) {
    const auto other = b->find(item);
    if (other != b->end()) pairs.push_back({score, other->second});
  }
  report.comparisons.push_back(
      {task, first.subject + (first.run == second.run ? "" : " (" + first.run->name + ")"),
       second.subject + (first.run == second.run ? "" : " (" + second.run->name + ")"),
       compare(pairs)});
}

nlohmann::ordered_json leader_json(const LeaderRow& row) {
  const TaskResult& result = *row.result;
  return {{"run", row.run},
          {"task", result.task},
          {"subject", result.subject},
          {"accuracy", result.accuracy},
          {"interval", {result.interval.low, result.interval.high}},
          {"correct", result.correct},
          {"measured", result.measured},
          {"planned", result.planned},
          {"seconds_per_item", result.seconds_per_item()},
          {"peak_memory_bytes", result.peak_memory_bytes}};
}

}  // namespace

Result<Report> make_report(const ReportRequest& request) {
  if (request.runs.empty()) {
    return Error{ErrorCode::InvalidArgument, "there is no run to report on", "",
                 "name what `tinyarms bench --output` wrote"};
  }
  Report report{.request = request, .tasks = {}, .leaders = {}, .comparisons = {}};
  for (const NamedSummary& run : request.runs) {
    for (const TaskFacts& task : run.summary.tasks) add_task(report.tasks, task.name);
  }
  for (const std::string& task : report.tasks) {
    const auto begin = static_cast<std::ptrdiff_t>(report.leaders.size());
    for (const NamedSummary& run : request.runs) {
      for (const TaskResult& result : run.summary.results) {
        if (result.task == task && result.measured > 0) {
          report.leaders.push_back({run.name, &result});
        }
      }
    }
    std::stable_sort(report.leaders.begin() + begin, report.leaders.end(),
                     [](const LeaderRow& a, const LeaderRow& b) {
                       return a.result->accuracy > b.result->accuracy;
                     });
  }
  if (!request.compare) {
    for (const NamedSummary& run : request.runs) {
      report.comparisons.insert(report.comparisons.end(), run.summary.comparisons.begin(),
                                run.summary.comparisons.end());
    }
    return report;
  }
  auto first = find_subject(request, request.compare->first);
  if (!first) return first.error();
  auto second = find_subject(request, request.compare->second);
  if (!second) return second.error();
  for (const std::string& task : report.tasks) add_comparison(*first, *second, task, report);
  return report;
}

std::string row_label(const Report& report, const LeaderRow& row) {
  if (report.request.runs.size() == 1) return row.result->subject;
  return fmt::format("{} ({})", row.result->subject, row.run);
}

std::vector<BaselineRow> baseline_rows(const Report& report, const std::string& task) {
  std::vector<BaselineRow> rows;
  for (const NamedSummary& run : report.request.runs) {
    for (const Baseline& baseline : run.summary.baselines) {
      if (baseline.task != task) continue;
      const bool known = std::any_of(rows.begin(), rows.end(), [&](const BaselineRow& row) {
        return row.baseline->name == baseline.name && row.baseline->what == baseline.what &&
               row.baseline->accuracy == baseline.accuracy;
      });
      if (known) continue;
      const bool named = std::any_of(rows.begin(), rows.end(), [&](const BaselineRow& row) {
        return row.baseline->name == baseline.name;
      });
      rows.push_back({named ? fmt::format("{} ({})", baseline.name, run.name) : baseline.name,
                      &baseline});
    }
  }
  return rows;
}

const TaskFacts* facts_of(const Report& report, const std::string& task) {
  for (const NamedSummary& run : report.request.runs) {
    for (const TaskFacts& facts : run.summary.tasks) {
      if (facts.name == task) return &facts;
    }
  }
  return nullptr;
}

std::string report_json(const Report& report) {
  nlohmann::ordered_json json = {{"schema", "tinyarms-report/1"}};
  json["leaderboard"] = nlohmann::ordered_json::array();
  for (const LeaderRow& row : report.leaders) json["leaderboard"].push_back(leader_json(row));
  json["comparisons"] = nlohmann::ordered_json::array();
  for (const Comparison& each : report.comparisons) {
    json["comparisons"].push_back({{"task", each.task},
                                   {"first", each.first},
                                   {"second", each.second},
                                   {"items", each.paired.items},
                                   {"difference", each.paired.difference},
                                   {"interval",
                                    {each.paired.interval.low, each.paired.interval.high}},
                                   {"mcnemar_p", each.paired.p_value}});
  }
  json["runs"] = nlohmann::ordered_json::array();
  for (const NamedSummary& run : report.request.runs) {
    auto summary = nlohmann::ordered_json::parse(summary_json(run.summary));
    json["runs"].push_back({{"name", run.name}, {"summary", std::move(summary)}});
  }
  using Handler = nlohmann::ordered_json::error_handler_t;
  return json.dump(1, ' ', false, Handler::replace) + "\n";
}

}  // namespace tinyarms::eval
