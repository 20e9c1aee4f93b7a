// Verdicts on samples that were made elsewhere.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"
#include "base/stop_flag.h"
#include "eval/statistics.h"
#include "eval/task.h"
#include "sandbox/judge.h"

namespace tinyarms::eval {

struct ScoreOptions {
  std::filesystem::path data;
  std::filesystem::path samples;
  std::filesystem::path output;
  int concurrency = 1;
};

struct ScoredSamples {
  std::string task;
  uint64_t samples = 0;  // lines; = measured + unmeasured + unknown
  uint64_t unknown = 0;  // of a task_id that the data does not have
  uint64_t unmeasured = 0;
  Count count;                                // correct of measured
  uint64_t items_missing = 0;                 // items without a sample
  std::map<std::string, uint64_t> failures;   // why not measured → how often
  std::map<uint64_t, double> pass_at_k;       // over the items with samples
};

// Reads JSON lines {task_id, solution} (a whole answer) or {task_id, completion} (continues the
// prompt); other fields are passed over. Writes one line a sample, in its order:
// {task_id, correct, reason}, correct null where it could not be measured; the file appears whole.
// Errors: those of Task::read; NotFound, Corrupt (the samples, with file:line), Io, Interrupted.
Result<ScoredSamples> score_samples(const Task& task, const ScoreOptions& options,
                                    sandbox::Judge& judge, const StopFlag& stop);

std::string scored_json(const ScoredSamples& scored);
std::string scored_text(const ScoredSamples& scored);

}  // namespace tinyarms::eval
