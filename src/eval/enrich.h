// Adds signals to the records of a bench after the fact: the answers are there, the questions are
// read from the tasks again, and only what was asked for is measured. Resumable: what the output
// holds already is passed over.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/stop_flag.h"
#include "sandbox/judge.h"
#include "signals/panel.h"

namespace tinyarms::eval {

struct EnrichOptions {
  std::filesystem::path records;  // of one model, as `bench` wrote them
  std::filesystem::path output;
  std::filesystem::path data;      // the tasks' data folder
  std::filesystem::path model;     // a GGUF; empty: signals that ask it are not measured
  std::filesystem::path next_model;
  std::filesystem::path encoder;   // for the intent; empty: not measured
  uint32_t context_tokens = 4096;
  int threads = 0;
  size_t limit = 0;  // 0: all; else that many, evenly spread
};

struct EnrichAround {
  sandbox::Judge& judge;
  const Clock& clock;
  const StopFlag& stop;
  std::function<void(size_t done, size_t total)> progress;
};

struct SignalAccount {
  size_t measured = 0;
  size_t absent = 0;  // did not apply
  size_t failed = 0;
  std::string problem;  // of the first failure
  double seconds = 0;   // of all that were tried
};

struct EnrichReport {
  size_t records = 0;  // in the output now
  size_t added = 0;    // by this call
  bool interrupted = false;
  std::map<std::string, SignalAccount> signals;
};

// Errors: those of reading the records and the tasks, of loading the models; InvalidArgument where
// a record's item is not in its task or was asked in other words; Io.
Result<EnrichReport> enrich_records(const EnrichOptions& options, const signals::Panel& panel,
                                    const EnrichAround& around);

}  // namespace tinyarms::eval
