// Prefixes that models had no room for, as copies in the machine's memory: putting one back takes
// milliseconds, computing it again seconds. All models of a process share one such memory; a
// snapshot outlives the context that it was copied from.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "base/clock.h"
#include "engine/snapshots/snapshot_file.h"

namespace tinyarms::engine {

struct SnapshotMemoryCounters {
  size_t snapshots = 0;
  uint64_t bytes = 0;            // of states, those included that only wait to be written to disk
  uint64_t kept = 0;             // copied into it, in all
  uint64_t let_go = 0;           // for others, or because models needed the room
  uint64_t tokens_restored = 0;  // put back into a context
};

// Thread-safe. The clock outlives it.
class SnapshotMemory {
 public:
  // `bytes_max`: of what is kept; with 0 it only lends room for states on their way to disk.
  // `idle_seconds`: what nobody used for so long goes at the next set_room(); 0: never.
  SnapshotMemory(uint64_t bytes_max, const Clock& clock, double idle_seconds = 0);

  // What everything else in the memory budget leaves, from now on; lets go of what exceeds it.
  // No limit before the first call.
  void set_room(uint64_t bytes);

  // Bytes for a state, that count until nobody holds them. Lets go of what is worth least. Null
  // where there is no room even then.
  std::shared_ptr<std::string> provide(uint64_t bytes);

  // Those that it begins with go. False where it is not kept: over the limit alone, or after
  // stop_keeping().
  bool keep(SnapshotHead head, SnapshotState state);
  bool keeps() const { return keeps_.load(std::memory_order_relaxed); }
  // Whether one of so many bytes would be kept; asked before it is copied.
  bool takes(uint64_t bytes) const;
  // The process ends: nobody will ask for what is copied from here on.
  void stop_keeping();

  struct Match {
    size_t length = 0;  // tokens alike
    SnapshotHead head{};
    SnapshotState state{};
  };
  // The one of that binding and scope that shares most with the beginning of `tokens`.
  std::optional<Match> find(const std::string& binding, const std::string& scope,
                            std::span<const int32_t> tokens) const;
  // It was put back, so many tokens of it.
  void restored(const SnapshotHead& head, size_t tokens);

  SnapshotMemoryCounters counters() const;

 private:
  struct Kept {
    SnapshotHead head;
    SnapshotState state;
    double used_at = 0;  // monotonic
  };

  // The mutex is held.
  uint64_t bytes_kept() const;
  bool let_go_of_one();

  const uint64_t bytes_max_;
  const Clock& clock_;
  const double idle_seconds_;
  std::atomic<bool> keeps_;
  // Of all states that somebody holds; shared with them, who may live longer.
  const std::shared_ptr<std::atomic<uint64_t>> bytes_held_;
  mutable std::mutex mutex_;  // of what follows
  std::list<Kept> kept_;
  uint64_t room_ = UINT64_MAX;
  SnapshotMemoryCounters counters_;
};

}  // namespace tinyarms::engine
