#include "service/model_pool.h"

#include <algorithm>

#include "catalog/model_store.h"
#include "engine/snapshots/snapshot_memory.h"
#include "service/prefix_folder.h"
#include "service/residency.h"

namespace tinyarms::service {
namespace {

tiers::ShelfOptions shelf_options(const Settings& settings, const Paths& paths, const Clock& clock,
                                  uint64_t physical_bytes, engine::SnapshotMemory& prefixes) {
  const auto held = [&prefixes] {
    const engine::SnapshotMemoryCounters counters = prefixes.counters();
    return HeldPrefixes{counters.snapshots, counters.bytes};
  };
  tiers::ShelfOptions options{
      .budget_bytes = memory_budget(settings, physical_bytes),
      .watcher = std::make_shared<ResidencyFile>(residency_folder(paths.cache_dir), clock, held),
      .on_room = [&prefixes](uint64_t bytes) { prefixes.set_room(bytes); }};
  if (settings.models.idle_seconds > 0) options.idle_seconds = settings.models.idle_seconds;
  const catalog::ModelStore store(paths.models_dir);
  for (const std::string& name : settings.models.keep) {
    // One that is not installed is never on the shelf.
    if (auto model = store.find(name)) options.kept.insert(model->path);
  }
  return options;
}

// Each has room for a whole context, and from some on none is faster: whoever wants more says so.
constexpr int kParallelUnasked = 8;

uint32_t parallel(const Settings& settings, int askers) {
  const int chosen = settings.models.parallel;
  return static_cast<uint32_t>(chosen > 0 ? chosen : std::clamp(askers, 1, kParallelUnasked));
}

// A sidecar knows it; a model that was named by its path is read, a second a gigabyte.
std::string content_hash(const Paths& paths, const std::filesystem::path& file) {
  const catalog::ModelStore store(paths.models_dir);
  auto model = store.find(file.string());
  auto hash = model ? store.sha256_of(*model) : Result<std::string>(model.error());
  return hash ? *hash : std::string();
}

}  // namespace

ModelPool::ModelPool(const Settings& settings, const Paths& paths, const Clock& clock,
                     uint64_t physical_bytes, int askers,
                     const std::function<void(const std::string&)>& on_notice)
    : prefix_memory_(std::make_unique<engine::SnapshotMemory>(
          settings.prefix.memory_bytes, clock, settings.models.idle_seconds)),
      prefix_disk_(keep_prefixes(settings, paths, clock, on_notice)),
      loader_(settings.threads, parallel(settings, askers)),
      shelf_(loader_, clock,
             shelf_options(settings, paths, clock, physical_bytes, *prefix_memory_)),
      always_ahead_(settings.escalation.prefetch == Toggle::On) {
  loader_.keep_prefixes(
      {.memory = prefix_memory_.get(), .disk = prefix_disk_.get()},
      [paths](const std::filesystem::path& file) { return content_hash(paths, file); });
  const bool drafts = settings.escalation.speculate != Toggle::Off ||
                      settings.escalation.lookup != Toggle::Off;
  if (drafts && !settings.l3.model.empty()) {
    const auto large = catalog::ModelStore(paths.models_dir).find(settings.l3.model);
    if (large) loader_.let_verify(large->path);
  }
  if (settings.models.idle_seconds > 0) sweeper_.emplace(shelf_, settings.models.idle_seconds);
  // On a single core the two models would only take turns.
  const bool spare_core = loader_.cores() > 1;
  const bool automatic = settings.escalation.prefetch == Toggle::Auto && spare_core;
  if (always_ahead_ || automatic) prefetcher_.emplace(shelf_, clock);
}

ModelPool::~ModelPool() { prefix_memory_->stop_keeping(); }

cascade::Headstarts ModelPool::headstarts() {
  return {.climbs = prefetcher_ ? &climbs_ : nullptr, .always = always_ahead_};
}

}  // namespace tinyarms::service
