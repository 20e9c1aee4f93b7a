// Reads and writes prefix snapshots on a thread of its own, so that nobody who computes waits for
// the disk. What is to be written is handed over as a finished copy.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "engine/snapshots/snapshot_folder.h"

namespace tinyarms::engine {

// A snapshot on its way from the disk.
class SnapshotRead {
 public:
  bool done() const { return done_.load(std::memory_order_acquire); }
  // Once it is done. Errors: those of SnapshotFolder::read().
  const Result<SnapshotFolder::Loaded>& result() const { return result_; }

 private:
  friend class SnapshotKeeper;
  std::atomic<bool> done_{false};
  Result<SnapshotFolder::Loaded> result_{Error{}};
};

struct SnapshotCounters {
  size_t files = 0;
  uint64_t bytes = 0;
  uint64_t written = 0;
  uint64_t read = 0;
  uint64_t unusable = 0;         // asked for and found damaged, foreign or gone
  uint64_t not_written = 0;      // the disk refused, or too much was waiting
  uint64_t tokens_restored = 0;  // put back into a context
};

// Thread-safe. Going, it writes what still waits.
class SnapshotKeeper {
 public:
  explicit SnapshotKeeper(std::unique_ptr<SnapshotFolder> folder,
                          std::function<void(const std::string&)> on_notice = {});
  ~SnapshotKeeper();
  SnapshotKeeper(const SnapshotKeeper&) = delete;
  SnapshotKeeper& operator=(const SnapshotKeeper&) = delete;

  SnapshotFolder& folder() { return *folder_; }

  std::shared_ptr<const SnapshotRead> read(std::string name);

  // Whether so many bytes more may wait to be written; asked before they are copied.
  bool takes(uint64_t bytes) const;
  void write(SnapshotHead head, SnapshotState state);
  void skipped();  // something worth keeping was not written because too much was waiting

  // How fast reading and checking were lately; a cautious guess before the first.
  double bytes_per_second() const { return bytes_per_second_.load(std::memory_order_relaxed); }
  void restored(size_t tokens);
  SnapshotCounters counters() const;
  void wait_until_idle();  // for tests and benchmarks

 private:
  struct Writing {
    SnapshotHead head;
    SnapshotState state;
  };
  struct Reading {
    std::string name;
    std::shared_ptr<SnapshotRead> read;
  };

  void work();
  void do_read(Reading reading);
  void do_write(Writing writing);

  const std::unique_ptr<SnapshotFolder> folder_;
  const std::function<void(const std::string&)> on_notice_;
  std::atomic<double> bytes_per_second_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Reading> readings_;  // before all writings: somebody waits for them
  std::deque<Writing> writings_;
  uint64_t waiting_bytes_ = 0;
  SnapshotCounters counters_;
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tinyarms::engine
