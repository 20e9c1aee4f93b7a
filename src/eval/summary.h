// What a run comes to: plain figures made from its records alone, so that the summary of a resumed
// run is that of an uninterrupted one. docs/bench.md describes its JSON.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "calibration/metrics.h"
#include "calibration/reliability.h"
#include "eval/bench_record.h"
#include "eval/statistics.h"

namespace tinyarms::eval {

inline constexpr const char* kSummarySchema = "tinyarms-bench/1";

struct TaskFacts {
  std::string name;
  std::string caveat;
  std::string data_sha;     // over the files read; "bundled" where they are in the binary
  std::string prompts_sha;  // over every prompt and reference asked
  uint64_t items = 0;       // asked
  uint64_t available = 0;   // in the data
  // What guessing comes to; negative where there is nothing to guess among.
  double random_option = -1;
  double majority_option = -1;
  std::string problem;  // why it could not be asked at all; empty where it could
};

struct SubjectFacts {
  std::string name;
  std::string fingerprint;
  std::string note;     // "requantised from Q4_1"
  std::string problem;  // why it could not be measured at all; empty where it could
};

struct GroupResult {
  std::string name;
  Count count;  // correct of measured
};

struct TierResult {  // of cascades
  std::string name;
  uint64_t answered = 0;
  uint64_t kept = 0;
  uint64_t kept_correct = 0;
  uint64_t correct = 0;
  double seconds = 0;
};

struct PassAtK {
  uint64_t k = 1;
  double value = 0;
  Interval interval;  // bootstrap over items
};

// How well the evidence tells right answers from wrong ones.
struct ConfidenceResult {
  std::string signal;  // whose values rank the answers; empty: none was there
  double auroc = 0;
  double ece = 0;
  std::vector<calibration::RiskCoveragePoint> risk_coverage;
  std::vector<calibration::ReliabilityBin> reliability;
};

struct TaskResult {
  std::string task;
  std::string subject;
  // planned = measured + unmeasured + not_reached, always.
  uint64_t planned = 0;
  uint64_t measured = 0;
  uint64_t unmeasured = 0;
  uint64_t not_reached = 0;
  uint64_t correct = 0;
  double accuracy = 0;
  Interval interval;  // Wilson's; with several samples the bootstrap's over items
  std::vector<GroupResult> groups;
  std::vector<PassAtK> pass_at_k;  // with several samples
  double seconds = 0;              // of all tiers, over all measured
  uint64_t prompt_tokens = 0;
  uint64_t tokens = 0;
  uint64_t peak_memory_bytes = 0;
  std::vector<TierResult> tiers;  // where more than one answered
  ConfidenceResult confidence;
  std::map<std::string, uint64_t> failures;  // why → how often

  double seconds_per_item() const {
    return measured > 0 ? seconds / static_cast<double>(measured) : 0;
  }
};

// A figure of a task over embeddings ("spearman", "ndcg@10").
struct EmbeddingFigure {
  std::string task;
  std::string subject;
  std::string name;
  double value = 0;
  Interval interval;
  uint64_t items = 0;
  double seconds = 0;
};

struct Comparison {
  std::string task;
  std::string first;   // subjects, or "subject (old.json)"
  std::string second;
  Paired paired;
};

struct Baseline {
  std::string task;
  std::string name;  // random_option, majority_option, always_small, always_large, oracle
  double accuracy = 0;
  std::string what;  // for people: which model
};

struct Summary {
  std::string version;  // of tinyArms
  std::string command;
  std::string engine;
  std::string machine;
  double started = 0;   // seconds since 1970
  double temperature = 0;
  uint32_t seed = 0;
  int samples = 1;
  bool complete = false;
  std::vector<TaskFacts> tasks;
  std::vector<SubjectFacts> subjects;
  std::vector<TaskResult> results;
  std::vector<EmbeddingFigure> figures;
  std::vector<Baseline> baselines;
  std::vector<Comparison> comparisons;
  // Mean score of each item, for comparisons with later runs: task → subject → item → score.
  std::map<std::string, std::map<std::string, std::map<std::string, double>>> scores;
};

std::string summary_json(const Summary& summary);
// Errors: Corrupt, Unsupported (another schema); the caller knows where.
Result<Summary> parse_summary(std::string_view text);
// The same of a file, which the error names. Errors: also those of read_file.
Result<Summary> read_summary(const std::filesystem::path& file);
// The summary for people: a table a task, what guessing comes to, what was not measured.
std::string summary_text(const Summary& summary);

}  // namespace tinyarms::eval
