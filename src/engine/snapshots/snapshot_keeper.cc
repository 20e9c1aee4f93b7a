#include "engine/snapshots/snapshot_keeper.h"

#include <fmt/format.h>

#include <chrono>
#include <exception>

namespace tinyarms::engine {
namespace {

// A disk that turns, or one that is busy. Solid ones read faster, and then it is measured.
constexpr double kBytesPerSecondGuess = 150e6;
constexpr uint64_t kWaitingBytesMax = 512 << 20;
constexpr uint64_t kMeasuredBytesMin = 1 << 20;  // less is all latency

}  // namespace

SnapshotKeeper::SnapshotKeeper(std::unique_ptr<SnapshotFolder> folder,
                               std::function<void(const std::string&)> on_notice)
    : folder_(std::move(folder)),
      on_notice_(std::move(on_notice)),
      bytes_per_second_(kBytesPerSecondGuess),
      thread_([this] { work(); }) {}

SnapshotKeeper::~SnapshotKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::shared_ptr<const SnapshotRead> SnapshotKeeper::read(std::string name) {
  auto read = std::make_shared<SnapshotRead>();
  {
    const std::lock_guard lock(mutex_);
    readings_.push_back({std::move(name), read});
  }
  changed_.notify_all();
  return read;
}

bool SnapshotKeeper::takes(uint64_t bytes) const {
  const std::lock_guard lock(mutex_);
  return waiting_bytes_ + bytes <= kWaitingBytesMax;
}

void SnapshotKeeper::write(SnapshotHead head, SnapshotState state) {
  {
    const std::lock_guard lock(mutex_);
    waiting_bytes_ += state->size();
    writings_.push_back({std::move(head), std::move(state)});
  }
  changed_.notify_all();
}

void SnapshotKeeper::skipped() {
  const std::lock_guard lock(mutex_);
  ++counters_.not_written;
}

void SnapshotKeeper::restored(size_t tokens) {
  const std::lock_guard lock(mutex_);
  counters_.tokens_restored += tokens;
}

SnapshotCounters SnapshotKeeper::counters() const {
  const size_t files = folder_->list().size();
  const uint64_t bytes = folder_->bytes();
  const std::lock_guard lock(mutex_);
  SnapshotCounters now = counters_;
  now.files = files;
  now.bytes = bytes;
  return now;
}

void SnapshotKeeper::wait_until_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !busy_ && readings_.empty() && writings_.empty(); });
}

void SnapshotKeeper::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !readings_.empty() || !writings_.empty(); });
    if (readings_.empty() && writings_.empty()) return;
    busy_ = true;
    if (!readings_.empty()) {
      Reading reading = std::move(readings_.front());
      readings_.pop_front();
      lock.unlock();
      do_read(std::move(reading));
    } else {
      Writing writing = std::move(writings_.front());
      writings_.pop_front();
      lock.unlock();
      do_write(std::move(writing));
    }
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

void SnapshotKeeper::do_read(Reading reading) {
  const auto start = std::chrono::steady_clock::now();
  SnapshotRead& read = *reading.read;
  try {
    read.result_ = folder_->read(reading.name);
  } catch (const std::exception& problem) {
    read.result_ = Error{ErrorCode::OverBudget, problem.what(), reading.name, ""};
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  if (read.result_ && read.result_->file.size() >= kMeasuredBytesMin && taken.count() > 0) {
    const double rate = static_cast<double>(read.result_->file.size()) / taken.count();
    bytes_per_second_.store(0.5 * bytes_per_second() + 0.5 * rate, std::memory_order_relaxed);
  }
  {
    const std::lock_guard lock(mutex_);
    ++(read.result_ ? counters_.read : counters_.unusable);
  }
  read.done_.store(true, std::memory_order_release);
}

void SnapshotKeeper::do_write(Writing writing) {
  const uint64_t bytes = writing.state->size();
  Result<void> written;
  try {
    written = folder_->write(std::move(writing.head), *writing.state);
  } catch (const std::exception& problem) {
    written = Error{ErrorCode::Io, problem.what(), "", ""};
  }
  {
    const std::lock_guard lock(mutex_);
    waiting_bytes_ -= bytes;
    ++(written ? counters_.written : counters_.not_written);
  }
  if (!written && on_notice_) {
    on_notice_(fmt::format("a prefix snapshot was not written: {}", written.error().message()));
  }
}

}  // namespace tinyarms::engine
