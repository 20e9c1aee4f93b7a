// Brings models into memory: the port that a ModelShelf loads through, and the engine behind it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/stop_flag.h"
#include "engine/generator.h"
#include "engine/memory_plan.h"
#include "engine/scheduler/scheduler.h"

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
  // The same, given up (Interrupted) soon after `stop` is raised. On any thread, beside `load`.
  virtual Result<LoadedModel> load_unless(const StopFlag& /*stop*/,
                                          const std::filesystem::path& file,
                                          uint32_t context_tokens) {
    return load(file, context_tokens);
  }
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
  // Prefixes of its models outlive their contexts. `content_hash`: of the model in that file, asked
  // where there is a disk to keep them on; empty: none of its are kept there.
  using ContentHash = std::function<std::string(const std::filesystem::path& file)>;
  void keep_prefixes(engine::SnapshotPlaces places, ContentHash content_hash) {
    snapshots_ = places;
    content_hash_ = std::move(content_hash);
  }
  Result<uint64_t> bytes_needed(const std::filesystem::path& file,
                                uint32_t context_tokens) override;
  Result<LoadedModel> load(const std::filesystem::path& file, uint32_t context_tokens) override {
    return make(nullptr, file, context_tokens);
  }
  Result<LoadedModel> load_unless(const StopFlag& stop, const std::filesystem::path& file,
                                  uint32_t context_tokens) override {
    return make(&stop, file, context_tokens);
  }
  int cores() const { return cores_.cores(); }

 private:
  Result<LoadedModel> make(const StopFlag* stop, const std::filesystem::path& file,
                           uint32_t context_tokens);

  engine::CoreBudget cores_;
  uint32_t parallel_;  // requests that one model computes at once
  std::filesystem::path verifier_;
  engine::SnapshotPlaces snapshots_;
  ContentHash content_hash_;
};

}  // namespace tinyarms::tiers
