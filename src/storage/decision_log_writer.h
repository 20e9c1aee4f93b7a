// Writes decisions down from a thread of its own, many in one transaction, so that no answer waits
// for the disk. Where the log cannot be opened or written, answers go on and `problem` says why.
//
// add() is thread-safe and never blocks on the disk; the destructor waits for what was added.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "storage/decision_log.h"

namespace tinyarms::storage {

class DecisionLogWriter {
 public:
  // `clock` outlives the writer. The file is opened with the first decision. Where ages are
  // limited, what has grown too old goes every `tidy_every`, also while nothing is added.
  DecisionLogWriter(std::filesystem::path path, const Clock& clock,
                    const DecisionLogOptions& options = {},
                    std::chrono::milliseconds tidy_every = std::chrono::hours(1));
  ~DecisionLogWriter();
  DecisionLogWriter(const DecisionLogWriter&) = delete;
  DecisionLogWriter& operator=(const DecisionLogWriter&) = delete;

  // False where the queue is full (the disk does not keep up): the decision is not logged then.
  bool add(LoggedDecision decision);

  // Waits until everything added so far is on disk or has failed.
  void flush();

  std::optional<Error> problem() const;  // the newest one

 private:
  void work();
  void write(std::vector<LoggedDecision> batch);
  void tidy();
  Result<DecisionLog*> log();

  const std::filesystem::path path_;
  const Clock& clock_;
  const DecisionLogOptions options_;
  const std::chrono::milliseconds tidy_every_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<LoggedDecision> queue_;
  bool writing_ = false;
  bool ending_ = false;
  std::optional<Error> problem_;
  std::unique_ptr<DecisionLog> log_;  // of the thread alone
  std::thread thread_;                // last: it uses all the others
};

}  // namespace tinyarms::storage
