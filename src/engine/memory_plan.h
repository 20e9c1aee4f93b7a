// How much memory a model will take, computed from its file before anything is loaded.
#pragma once

#include <cstdint>

#include "engine/model_facts.h"

namespace tinyarms::engine {

struct MemoryPlan {
  uint64_t weight_bytes = 0;      // the tensors, mapped or read
  uint64_t kv_bytes = 0;          // F16 keys and values of every layer for the whole context
  uint64_t compute_bytes = 0;     // activations of one batch and its rows of logits
  uint64_t vocabulary_bytes = 0;  // libllama's tables of tokens, and our row of probabilities
  uint64_t total() const { return weight_bytes + kv_bytes + compute_bytes + vocabulary_bytes; }
};

// For a generator made with the same numbers; a longer context than the model was trained for is
// clipped as the generator does. An encoder keeps no keys and values. The compute part is an
// estimate of what libllama allocates for a transformer with a gated feed-forward part; other
// architectures deviate more (docs/decisions/0013).
MemoryPlan plan_memory(const ModelFacts& facts, uint32_t context_tokens, uint32_t batch_tokens,
                       uint32_t guesses_max = 0);

}  // namespace tinyarms::engine
