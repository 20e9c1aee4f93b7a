// The generators in memory: loaded when first asked for, kept for the next question, put away
// least recently used first when a new one would not fit the memory budget.
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "engine/generator.h"

namespace tinyarms::tiers {

// Weights and the context over them; the generator goes first when both are put away.
struct LoadedModel {
  std::unique_ptr<const engine::LanguageModel> weights;
  std::unique_ptr<engine::Generator> generator;
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

class EngineLoader final : public ModelLoader {
 public:
  explicit EngineLoader(int threads) : threads_(threads) {}
  Result<uint64_t> bytes_needed(const std::filesystem::path& file,
                                uint32_t context_tokens) override;
  Result<LoadedModel> load(const std::filesystem::path& file, uint32_t context_tokens) override;

 private:
  int threads_;
};

// One thread at a time.
class ModelShelf {
 public:
  // `budget_bytes` covers everything on the shelf together.
  ModelShelf(ModelLoader& loader, const Clock& clock, uint64_t budget_bytes);

  struct Loan {
    engine::Generator* generator = nullptr;  // valid until the next call of take(), like weights
    const engine::LanguageModel* weights = nullptr;  // null where the loader has none (tests)
    double load_seconds = 0;                 // 0 where it was in memory already
  };

  // Errors: OverBudget, before anything is put away or mapped, where the model alone exceeds the
  // budget; else the loader's.
  Result<Loan> take(const std::filesystem::path& file, uint32_t context_tokens);

  uint64_t bytes_resident() const;
  size_t models_resident() const { return shelf_.size(); }

 private:
  struct Place {
    std::filesystem::path file;
    uint32_t context_tokens = 0;
    uint64_t bytes = 0;
    LoadedModel model;
  };

  ModelLoader& loader_;
  const Clock& clock_;
  uint64_t budget_bytes_;
  std::list<Place> shelf_;  // most recently used first
};

}  // namespace tinyarms::tiers
