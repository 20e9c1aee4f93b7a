// The language models of one process: loaded once, whoever asks for them, within one memory budget
// and one set of cores.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/paths.h"
#include "cascade/cascade.h"
#include "service/settings.h"
#include "tiers/idle_sweeper.h"
#include "tiers/model_shelf.h"
#include "tiers/prefetcher.h"

namespace tinyarms::engine {
class SnapshotKeeper;
class SnapshotMemory;
}

namespace tinyarms::service {

// Thread-safe. The clock outlives it.
class ModelPool {
 public:
  // `askers`: how many will ask at the same time; so many requests are computed at once where
  // models.parallel says 0. Loads nothing. `on_notice`: lines for the log, on any thread.
  ModelPool(const Settings& settings, const Paths& paths, const Clock& clock,
            uint64_t physical_bytes, int askers = 1,
            const std::function<void(const std::string&)>& on_notice = {});
  ~ModelPool();

  tiers::ModelShelf& shelf() { return shelf_; }
  const engine::SnapshotMemory& prefixes_in_memory() const { return *prefix_memory_; }
  // Null where none are kept.
  const engine::SnapshotKeeper* prefixes_on_disk() const { return prefix_disk_.get(); }
  // What computes L3's prompts ahead, and when; null and never where the settings or the machine do
  // not allow it.
  tiers::Prefetcher* prefetcher() { return prefetcher_ ? &*prefetcher_ : nullptr; }
  cascade::Headstarts headstarts();

 private:
  // Both outlive the models.
  std::unique_ptr<engine::SnapshotMemory> prefix_memory_;
  std::unique_ptr<engine::SnapshotKeeper> prefix_disk_;
  tiers::EngineLoader loader_;
  tiers::ModelShelf shelf_;
  std::optional<tiers::IdleSweeper> sweeper_;
  cascade::ClimbMemory climbs_;
  bool always_ahead_;
  std::optional<tiers::Prefetcher> prefetcher_;
};

}  // namespace tinyarms::service
