#include "engine/snapshots/snapshot_memory.h"

#include <algorithm>
#include <new>
#include <numeric>

#include "engine/snapshots/snapshot_worth.h"

namespace tinyarms::engine {
namespace {

constexpr double kCopyAgeMin = 1;  // seconds; younger ones count as equally young

}  // namespace

SnapshotMemory::SnapshotMemory(uint64_t bytes_max, const Clock& clock, double idle_seconds)
    : bytes_max_(bytes_max),
      clock_(clock),
      idle_seconds_(idle_seconds),
      keeps_(bytes_max > 0),
      bytes_held_(std::make_shared<std::atomic<uint64_t>>(0)) {}

uint64_t SnapshotMemory::bytes_kept() const {
  return std::accumulate(kept_.begin(), kept_.end(), uint64_t{0},
                         [](uint64_t sum, const Kept& one) { return sum + one.state->size(); });
}

bool SnapshotMemory::let_go_of_one() {
  if (kept_.empty()) return false;
  const double now = clock_.monotonic_seconds();
  const auto worth = [now](const Kept& one) {
    return worth_keeping(one.head, one.state->size(), std::max(now - one.used_at, kCopyAgeMin));
  };
  kept_.erase(std::min_element(kept_.begin(), kept_.end(), [&](const Kept& a, const Kept& b) {
    return worth(a) < worth(b);
  }));
  ++counters_.let_go;
  return true;
}

void SnapshotMemory::set_room(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  room_ = bytes;
  const double now = clock_.monotonic_seconds();
  counters_.let_go += kept_.remove_if([&](const Kept& one) {
    return idle_seconds_ > 0 && now - one.used_at >= idle_seconds_;
  });
  while (*bytes_held_ > room_ && let_go_of_one()) {
  }
}

std::shared_ptr<std::string> SnapshotMemory::provide(uint64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (bytes > room_) return nullptr;  // which never fits, and pushes nobody out
    while (*bytes_held_ + bytes > room_) {
      if (!let_go_of_one()) return nullptr;
    }
    *bytes_held_ += bytes;
  }
  try {
    return {new std::string(bytes, '\0'), [held = bytes_held_, bytes](const std::string* gone) {
              delete gone;
              *held -= bytes;
            }};
  } catch (const std::bad_alloc&) {
    *bytes_held_ -= bytes;
    return nullptr;
  }
}

bool SnapshotMemory::takes(uint64_t bytes) const {
  const std::lock_guard lock(mutex_);
  return keeps() && bytes <= std::min(bytes_max_, room_);
}

bool SnapshotMemory::keep(SnapshotHead head, SnapshotState state) {
  const std::lock_guard lock(mutex_);
  if (!keeps() || state->size() > bytes_max_) return false;
  kept_.remove_if([&](const Kept& one) { return covers(head, one.head); });
  while (bytes_kept() + state->size() > bytes_max_) let_go_of_one();
  kept_.push_back({std::move(head), std::move(state), clock_.monotonic_seconds()});
  ++counters_.kept;
  return true;
}

void SnapshotMemory::stop_keeping() {
  keeps_ = false;
  const std::lock_guard lock(mutex_);
  kept_.clear();
}

std::optional<SnapshotMemory::Match> SnapshotMemory::find(const std::string& binding,
                                                          const std::string& scope,
                                                          std::span<const int32_t> tokens) const {
  const std::lock_guard lock(mutex_);
  const Kept* best = nullptr;
  size_t longest = 0;
  for (const Kept& one : kept_) {
    if (one.head.binding != binding || one.head.scope != scope) continue;
    const size_t length = length_alike(one.head.tokens, tokens);
    const bool shorter = best != nullptr && one.state->size() < best->state->size();
    if (length < longest || (length == longest && !shorter)) continue;
    best = &one;
    longest = length;
  }
  if (best == nullptr || longest == 0) return std::nullopt;
  return Match{longest, best->head, best->state};
}

void SnapshotMemory::restored(const SnapshotHead& head, size_t tokens) {
  const std::lock_guard lock(mutex_);
  counters_.tokens_restored += tokens;
  for (Kept& one : kept_) {
    if (covers(one.head, head)) one.used_at = clock_.monotonic_seconds();
  }
}

SnapshotMemoryCounters SnapshotMemory::counters() const {
  const std::lock_guard lock(mutex_);
  SnapshotMemoryCounters now = counters_;
  now.snapshots = kept_.size();
  now.bytes = *bytes_held_;
  return now;
}

}  // namespace tinyarms::engine
