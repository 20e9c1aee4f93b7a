// Asks one subject every item of one task, judges the answers and appends records. What the journal
// holds already is passed over; what cannot be measured is noted and the run goes on.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/stop_flag.h"
#include "eval/journal.h"
#include "eval/statistics.h"
#include "eval/subject.h"
#include "eval/task.h"
#include "sandbox/judge.h"

namespace tinyarms::eval {

// SHA-256 of everything of an item that a subject is shown.
std::string prompt_sha(const Item& item);

// "task/item", and "#2" after it from the second sample on.
std::string record_id(const Task& task, const Item& item, int sample);

struct Progress {
  std::string task;
  std::string subject;
  size_t total = 0;     // items times samples
  size_t done = 0;      // measured or not, those of earlier runs included
  size_t measured = 0;
  size_t correct = 0;
  double items_per_second = 0;  // of this run; 0 at its beginning
  double seconds_left = 0;
  Interval interval;  // Wilson's, of correct among measured
};

class RunListener {
 public:
  virtual ~RunListener() = default;
  virtual void progressed(const Progress&) {}  // after each item, one thread at a time
};

struct RunOptions {
  Sampling sampling;  // sample i gets seed + i
  int samples = 1;
  int concurrency = 1;  // items in work at once; the order of records is the items' only at 1
};

struct RunAround {
  sandbox::Judge& judge;
  const Clock& clock;
  const StopFlag& stop;
  RunListener& listener;
};

// Errors: Interrupted (the flag was raised; what is written stays), those of Journal::append.
Result<void> run_task(const Task& task, const std::vector<Item>& items, Subject& subject,
                      Journal& journal, const RunOptions& options, const RunAround& around);

}  // namespace tinyarms::eval
