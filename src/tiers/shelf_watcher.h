// What a ModelShelf holds, and who is told what happens on it: so that others can see which models
// a process has in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace tinyarms::tiers {

// Prefixes: no model, but what was computed of prompts and is kept beside the models.
enum class ModelKind { Language, Encoder, Reranker, Prefixes };

struct ShelvedModel {
  std::filesystem::path file{};
  uint32_t context_tokens = 0;
  uint64_t bytes = 0;  // planned: weights, key-value memory and what computing takes
  double load_seconds = 0;
  bool kept = false;  // pinned
  ModelKind kind = ModelKind::Language;
  std::string use{};  // what of the process asked for it ("l1", "embeddings"); empty: not known
};

// A language model on a shelf, for whoever wants to see.
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

// Called on any thread, also while the shelf is locked: it must not call back. `id` tells the loads
// of one shelf apart.
class ShelfWatcher {
 public:
  virtual ~ShelfWatcher() = default;
  virtual void loaded(uint64_t id, const ShelvedModel& model) = 0;
  virtual void lent(uint64_t id) = 0;
  virtual void given_back(uint64_t id) = 0;
  virtual void used(uint64_t /*id*/) {}  // for a moment, by who keeps it anyway; may be often
  virtual void put_away(uint64_t id) = 0;  // its memory is free
  virtual void swept() {}                  // what was idle for too long has gone, if anything was
};

}  // namespace tinyarms::tiers
