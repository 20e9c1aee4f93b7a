// A whole run: every subject over every task, records beside the summary, resumable.
//
//   results.json                          the summary, written whole when the run ends or stops
//   results.records/<subject>.jsonl       a record a line, appended as items are done
//   results.records/<subject>.unmeasured.jsonl
//   results.records/<subject>.run.json    what made the answers: a resumed run must be the same
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eval/runner.h"
#include "eval/summary.h"

namespace tinyarms::eval {

struct BenchTask {
  const Task* task = nullptr;
  TaskFacts facts;
  std::vector<Item> items;
};

struct LoadOptions {
  std::filesystem::path data;
  size_t limit = 0;  // 0: all; else that many, evenly spread over the task
};

// A task whose data is missing or broken comes with its problem in `facts` and no items.
BenchTask load_bench_task(const Task& task, const LoadOptions& options);

// Subjects are opened one after the other: one model is in memory at a time.
struct SubjectSource {
  std::string name;
  std::string note;
  std::function<Result<std::unique_ptr<Subject>>()> open;
};

struct BenchOptions {
  std::filesystem::path output;
  bool resume = false;
  RunOptions run;
  std::string version;
  std::string command;
};

struct BenchRun {
  Summary summary;
  bool interrupted = false;
};

// Writes the summary too. A subject that cannot be opened and items that cannot be measured are
// told in the summary. Errors: InvalidArgument (records are there and no --resume; --resume with
// another model, sampling or prompt), Unavailable, Io, Corrupt (the records).
Result<BenchRun> run_bench(const std::vector<BenchTask>& tasks,
                           const std::vector<SubjectSource>& subjects,
                           const BenchOptions& options, const RunAround& around);

// "results.json" → "results.records".
std::filesystem::path records_folder(const std::filesystem::path& output);
// The file in it that holds a subject's records.
std::filesystem::path records_file(const std::filesystem::path& output,
                                   const std::string& subject);

}  // namespace tinyarms::eval
