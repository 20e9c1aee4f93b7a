#include "storage/decision_log_writer.h"

namespace tinyarms::storage {
namespace {

constexpr size_t kQueueMax = 4096;
constexpr size_t kBatchMax = 256;

}  // namespace

DecisionLogWriter::DecisionLogWriter(std::filesystem::path path, const Clock& clock,
                                     const DecisionLogOptions& options,
                                     std::chrono::milliseconds tidy_every)
    : path_(std::move(path)),
      clock_(clock),
      options_(options),
      tidy_every_(tidy_every),
      thread_([this] { work(); }) {}

DecisionLogWriter::~DecisionLogWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool DecisionLogWriter::add(LoggedDecision decision) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kQueueMax) return false;
    queue_.push_back(std::move(decision));
  }
  changed_.notify_all();
  return true;
}

void DecisionLogWriter::flush() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return queue_.empty() && !writing_; });
}

std::optional<Error> DecisionLogWriter::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void DecisionLogWriter::work() {
  std::unique_lock lock(mutex_);
  const auto wanted = [this] { return ending_ || !queue_.empty(); };
  while (true) {
    if (options_.seconds_max <= 0) {
      changed_.wait(lock, wanted);
    } else if (!changed_.wait_for(lock, tidy_every_, wanted)) {
      lock.unlock();
      tidy();
      lock.lock();
      continue;
    }
    if (queue_.empty()) return;
    std::vector<LoggedDecision> batch;
    while (!queue_.empty() && batch.size() < kBatchMax) {
      batch.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    writing_ = true;
    lock.unlock();
    write(std::move(batch));
    lock.lock();
    writing_ = false;
    changed_.notify_all();
  }
}

Result<DecisionLog*> DecisionLogWriter::log() {
  if (!log_) {
    auto opened = DecisionLog::open(path_, clock_, options_);
    if (!opened) return opened.error();
    log_ = std::move(*opened);
  }
  return log_.get();
}

void DecisionLogWriter::write(std::vector<LoggedDecision> batch) {
  auto opened = log();
  const Result<void> done = opened ? (*opened)->append(batch) : Result<void>(opened.error());
  if (done) return;
  const std::lock_guard lock(mutex_);
  problem_ = done.error();
}

// A log that is not there has nothing to let go, and is not made for that.
void DecisionLogWriter::tidy() {
  std::error_code problem;
  if (!log_ && !std::filesystem::exists(path_, problem)) return;
  auto opened = log();
  const Result<void> done = opened ? (*opened)->tidy() : Result<void>(opened.error());
  if (done) return;
  const std::lock_guard lock(mutex_);
  problem_ = done.error();
}

}  // namespace tinyarms::storage
