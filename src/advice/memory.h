// How much memory a model will take, from its file's header or from the catalogue's shape and size:
// weights, keys and values, compute buffers, tables of the vocabulary.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "advice/catalogue.h"
#include "engine/model_facts.h"

namespace tinyarms::advice {

enum class KvType { F32, F16, Q8_0, Q4_0 };
std::optional<KvType> parse_kv_type(std::string_view name);

struct MemoryNeed {
  uint64_t weight_bytes = 0;
  uint64_t kv_bytes = 0;
  uint64_t compute_bytes = 0;
  uint64_t vocabulary_bytes = 0;
  uint64_t mapped_bytes = 0;  // of a file, read where needed; the system may take it back
  uint64_t total() const {
    return weight_bytes + kv_bytes + compute_bytes + vocabulary_bytes + mapped_bytes;
  }
};

struct MemoryQuestion {
  uint32_t context_tokens = 4096;  // of a generator; clipped to what it was trained for
  KvType kv = KvType::F16;
  int threads = 0;  // 0: every core
};

// For encoders as the encoder room runs them on this machine, for generators as the shelf does.
MemoryNeed plan_model(const engine::ModelFacts& facts, const MemoryQuestion& question);

// The facts that a file of the catalogue would state. Nothing where the shape is not known.
std::optional<engine::ModelFacts> facts_of(const CatalogueModel& model, const ModelFile& file);

}  // namespace tinyarms::advice
