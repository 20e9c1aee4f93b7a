#include "storage/decision_log_writer.h"

namespace tinyarms::storage {
namespace {

constexpr size_t kQueueMax = 4096;
constexpr size_t kBatchMax = 256;

}  // namespace

DecisionLogWriter::DecisionLogWriter(std::filesystem::path path, const Clock& clock)
    : path_(std::move(path)), clock_(clock), thread_([this] { work(); }) {}

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
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
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

void DecisionLogWriter::write(std::vector<LoggedDecision> batch) {
  std::optional<Error> problem;
  if (!log_) {
    auto opened = DecisionLog::open(path_, clock_);
    if (opened) {
      log_ = std::move(*opened);
    } else {
      problem = opened.error();
    }
  }
  if (log_) {
    if (auto done = log_->append(batch); !done) problem = done.error();
  }
  if (!problem) return;
  const std::lock_guard lock(mutex_);
  problem_ = std::move(problem);
}

}  // namespace tinyarms::storage
