#include "engine/memory_plan.h"

#include <algorithm>

namespace tinyarms::engine {
namespace {

constexpr uint64_t kContextStep = 256;  // libllama rounds contexts up to it
// A token's text, its score and type, its place in two hash tables, and its merge.
constexpr uint64_t kBytesPerToken = 320;

uint64_t round_up(uint64_t value, uint64_t step) { return (value + step - 1) / step * step; }

uint64_t activation_bytes(const ModelFacts& facts, uint64_t context, uint64_t batch) {
  // Alive together at the widest point, in single precision: four vectors of the model's width
  // (residual, normalised, and the graph's inputs) and three of the feed-forward part's.
  const uint64_t floats = 4ull * facts.embedding_width + 3ull * facts.feed_forward_width;
  const uint64_t mask = 2 * context;  // half precision, a row for each token of the batch
  // What matrices are multiplied with is quantised first, to about a byte a number.
  const uint64_t quantised = std::max(facts.embedding_width, facts.feed_forward_width);
  return batch * (4 * floats + mask + quantised);
}

}  // namespace

MemoryPlan plan_memory(const ModelFacts& facts, uint32_t context_tokens, uint32_t batch_tokens,
                       uint32_t guesses_max) {
  const uint64_t clipped =
      std::max<uint64_t>(1, facts.context_tokens == 0
                                ? context_tokens
                                : std::min(context_tokens, facts.context_tokens));
  const uint64_t context = round_up(clipped, kContextStep);
  const uint64_t batch = std::clamp<uint64_t>(batch_tokens, 1, clipped);

  MemoryPlan plan;
  plan.weight_bytes = facts.weight_bytes;
  if (!facts.encoder) {
    const uint64_t row = uint64_t(facts.kv_heads) * (uint64_t(facts.key_width) + facts.value_width);
    plan.kv_bytes = uint64_t(facts.layers) * row * sizeof(uint16_t) * context;
  }
  const uint64_t rows = std::min<uint64_t>(uint64_t(guesses_max) + 1, batch);
  plan.compute_bytes =
      activation_bytes(facts, context, batch) + rows * facts.vocabulary * sizeof(float);
  plan.vocabulary_bytes = uint64_t(facts.vocabulary) * (sizeof(float) + kBytesPerToken);
  return plan;
}

}  // namespace tinyarms::engine
