// The models in memory: loaded when first asked for, kept for the next question, put away when a
// new one would not fit the memory budget (what is idle longest for what it costs to load again
// goes first), when they were idle for too long, or when their file is another one now.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/generator.h"
#include "engine/memory_plan.h"
#include "engine/scheduler/scheduler.h"
#include "tiers/shelf_watcher.h"

namespace tinyarms::tiers {

// Weights and the context over them; the generator goes first when both are put away.
struct LoadedModel {
  std::unique_ptr<const engine::LanguageModel> weights;
  std::unique_ptr<engine::Generator> generator;
  engine::CompletionEngine* completions = nullptr;  // the generator's own; null in tests
  std::string vocabulary = {};  // fingerprint of the weights' (engine/vocabulary.h)
};

// The port to the engine, so that memory pressure and load failures can be tested without one.
class ModelLoader {
 public:
  virtual ~ModelLoader() = default;
  // Bytes that `load` will take, computed from the file alone.
  virtual Result<uint64_t> bytes_needed(const std::filesystem::path& file,
                                        uint32_t context_tokens) = 0;
  virtual Result<LoadedModel> load(const std::filesystem::path& file, uint32_t context_tokens) = 0;
};

// What EngineLoader will take for a model of that shape, whether its file is here or not.
engine::MemoryPlan plan_generator(const engine::ModelFacts& facts, uint32_t context_tokens,
                                  uint32_t parallel = 1);

class EngineLoader final : public ModelLoader {
 public:
  // The cores are shared by all models that it loads.
  explicit EngineLoader(int threads, uint32_t parallel = 1)
      : cores_(threads), parallel_(parallel) {}
  // The model of that file also looks at drafts, in a context of its own (docs/escalation.md).
  void let_verify(std::filesystem::path file) { verifier_ = std::move(file); }
  Result<uint64_t> bytes_needed(const std::filesystem::path& file,
                                uint32_t context_tokens) override;
  Result<LoadedModel> load(const std::filesystem::path& file, uint32_t context_tokens) override;

 private:
  engine::CoreBudget cores_;
  uint32_t parallel_;  // requests that one model computes at once
  std::filesystem::path verifier_;
};

struct ShelfOptions {
  uint64_t budget_bytes = 0;            // of everything on the shelf together
  std::optional<double> idle_seconds{}; // put away after so long without use; nothing: never
  std::set<std::filesystem::path> kept{};  // never put away for another model, nor for idleness
  std::shared_ptr<ShelfWatcher> watcher{};  // may be null
};

// A model in memory, for whoever wants to see.
struct Resident {
  std::filesystem::path file;
  uint32_t context_tokens = 0;
  uint64_t bytes = 0;
  double load_seconds = 0;
  double resident_seconds = 0;
  double idle_seconds = 0;  // since it was last taken or given back
  uint64_t uses = 0;
  bool in_use = false;
  bool kept = false;
};

// Thread-safe. A model is loaded by one thread while the others wait. The clock outlives the loans.
class ModelShelf {
 public:
  ModelShelf(ModelLoader& loader, const Clock& clock, ShelfOptions options);
  ModelShelf(ModelLoader& loader, const Clock& clock, uint64_t budget_bytes)
      : ModelShelf(loader, clock, ShelfOptions{.budget_bytes = budget_bytes}) {}

  struct Loan {
    engine::Generator* generator = nullptr;
    engine::CompletionEngine* completions = nullptr;
    const engine::LanguageModel* weights = nullptr;  // null where the loader has none (tests)
    double load_seconds = 0;  // 0 where it was in memory already
    std::shared_ptr<const LoadedModel> model{};  // while this lives, so do the three above
  };

  // Errors: OverBudget, before anything is put away or mapped, where the model alone exceeds the
  // budget, or what is in use and pinned leaves too little; else the loader's.
  Result<Loan> take(const std::filesystem::path& file, uint32_t context_tokens);

  // Puts away what has been idle for too long; take() does so too.
  void put_away_idle();

  uint64_t bytes_resident() const;
  size_t models_resident() const;
  std::vector<Resident> residents() const;  // most recently used first

 private:
  struct Place {
    std::filesystem::path file;
    uint32_t context_tokens = 0;
    uint64_t bytes = 0;
    std::string identity;  // of the file when it was loaded
    double load_seconds = 0;
    double loaded_at = 0;
    std::shared_ptr<std::atomic<double>> used_at;  // last taken or given back; loans hold it too
    uint64_t uses = 0;
    uint64_t id = 0;  // as the watcher knows it
    std::shared_ptr<LoadedModel> model;
    bool in_use() const { return model.use_count() > 1; }
  };

  Loan lend(Place& place, double load_seconds);
  std::shared_ptr<LoadedModel> watched(LoadedModel model, uint64_t id) const;
  bool keeps(const Place& place) const { return options_.kept.contains(place.file); }
  void drop_idle();
  uint64_t sum_of_bytes() const;
  std::list<Place>::iterator least_worth();

  ModelLoader& loader_;
  const Clock& clock_;
  ShelfOptions options_;
  mutable std::mutex mutex_;
  std::list<Place> shelf_;  // most recently used first
  uint64_t last_id_ = 0;
};

}  // namespace tinyarms::tiers
