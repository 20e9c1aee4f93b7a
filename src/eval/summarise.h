// Records → figures.
#pragma once

#include <vector>

#include "eval/bench_record.h"
#include "eval/summary.h"
#include "eval/task.h"

namespace tinyarms::eval {

struct TaskRecords {
  const std::vector<BenchRecord>& records;  // of one subject, any tasks, in order
  const std::vector<Unmeasured>& failures;
};

// `facts` says what was planned. Drafts of a cascade's lower tiers count in `tiers` alone.
TaskResult summarise_task(const TaskFacts& facts, const SubjectFacts& subject, int samples,
                          const TaskRecords& records);

// Item → share of right samples, of the kept answers of one task.
std::map<std::string, double> item_scores(const std::string& task,
                                          const std::vector<BenchRecord>& records);

// Two subjects' scores of the items that both have.
std::vector<ScorePair> pair_up(const std::map<std::string, double>& first,
                               const std::map<std::string, double>& second);

// Always the cheapest model, always the dearest, and one that knew which is right, over the items
// that all measured; and what guessing comes to. Subjects are ordered by their seconds an item.
std::vector<Baseline> trivial_baselines(const Summary& summary);

// Each pair of subjects over the items both measured.
std::vector<Comparison> compare_subjects(const Summary& summary);

// The same subjects and tasks in two runs; where a task's prompts differ the comparison is left
// out and `notes` says so.
std::vector<Comparison> compare_runs(const Summary& before, const Summary& now,
                                     const std::string& before_name,
                                     std::vector<std::string>& notes);

}  // namespace tinyarms::eval
