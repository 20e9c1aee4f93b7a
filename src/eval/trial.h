// One model on trial against another: the same questions to both, what came of it, and a verdict by
// rule. A trial's file is bound to both models by hash, so that whoever acts on it later asks
// nobody again. Method: docs/models.md, decision 0112.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/statistics.h"
#include "eval/summary.h"

namespace tinyarms::eval {

struct TrialModel {
  std::string name;
  std::string sha256;
  std::string quantization;
  uint64_t file_bytes = 0;
  uint64_t memory_bytes = 0;       // planned, for the trial's context
  double prompt_tokens_rate = 0;   // a second, as `models measure` has it
  double answer_tokens_rate = 0;
  double seconds_per_item = 0;     // of the trial's own questions
};

// first: the model in use; second: the one on trial.
struct TrialTask {
  std::string name;
  uint64_t one_sided = 0;   // questions measured of one of the two alone
  uint64_t unmeasured = 0;  // of neither
  Paired paired;
};

// P(correct) of the model on trial, fitted to its answers; `problem` says why there is none.
struct TrialCalibration {
  uint64_t written = 0;  // answers that it wrote (not chosen among options)
  uint64_t right = 0;    // of them
  double brier = 0;      // held out
  double brier_of_share = 0;  // of always saying the share that is right
  std::string problem;
};

struct Trial {
  double at = 0;         // seconds since 1970 UTC
  std::string version;   // of tinyArms
  std::string engine;    // its build
  std::string tier;      // "l2", "l3", "general"; empty: against a model by name
  uint32_t context_tokens = 0;
  int threads = 0;       // 0: every core
  TrialModel in_use;
  TrialModel on_trial;
  std::vector<TrialTask> tasks;
  TrialTask all;  // the questions of every task but the user's own failures, each counting once
  TrialCalibration calibration;
};

// The figures of a whole run over both. The caller fills in the rest.
void count_outcomes(const Summary& summary, Trial& trial);

enum class TrialFinding { Better, NotShown, Worse };
std::string_view trial_finding_text(TrialFinding finding);  // "better", "not shown", "worse"

// Better: the interval of the difference lies above the margin, and the exact test on the questions
// that only one of the two got right is below 0.05. Worse: the interval lies below zero, and the
// same test. Not shown: neither; always where a question was measured of one model alone, since a
// model must not win by what it could not be asked.
struct TrialVerdict {
  TrialFinding finding = TrialFinding::NotShown;
  double difference = 0;  // points, on trial − in use
  Interval interval;      // of it, 95 %, points (paired_interval)
  double margin = 0;      // points
  std::string reason;     // in words, figures included
};
TrialVerdict judge_trial(const Trial& trial, double margin_points);

// With the verdict at that margin, which nobody reads back: it follows from the figures.
std::string trial_json(const Trial& trial, const TrialVerdict& verdict);
// Errors: Corrupt, Unsupported (another schema); the caller knows where.
Result<Trial> parse_trial(std::string_view text);

// A trial's own folder below `trials`; runs of one trial continue each other there.
struct TrialFiles {
  std::filesystem::path folder;
  std::filesystem::path trial() const { return folder / "trial.json"; }
  std::filesystem::path bench() const { return folder / "bench.json"; }
  std::filesystem::path calibrator() const { return folder / "calibrator.json"; }
};
TrialFiles trial_files(const std::filesystem::path& trials, const Trial& trial);

struct StoredTrial {
  Trial trial;
  TrialFiles files;
};
// Those that can be read, newest first. A folder that is not there holds none.
std::vector<StoredTrial> stored_trials(const std::filesystem::path& trials);

}  // namespace tinyarms::eval
