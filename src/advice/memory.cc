#include "advice/memory.h"

#include "encoder/encoder_memory.h"
#include "tiers/model_shelf.h"

namespace tinyarms::advice {
namespace {

struct NamedKv {
  KvType type;
  std::string_view name;
  uint64_t block_bytes;  // of 32 values (ggml's block layouts)
};
constexpr NamedKv kKvTypes[] = {{KvType::F32, "f32", 128},
                                {KvType::F16, "f16", 64},
                                {KvType::Q8_0, "q8_0", 34},
                                {KvType::Q4_0, "q4_0", 18}};

uint64_t scaled(uint64_t f16_bytes, KvType type) {
  for (const NamedKv& known : kKvTypes) {
    if (known.type == type) return f16_bytes / 64 * known.block_bytes;
  }
  return f16_bytes;
}

}  // namespace

std::optional<KvType> parse_kv_type(std::string_view name) {
  for (const NamedKv& known : kKvTypes) {
    if (known.name == name) return known.type;
  }
  return std::nullopt;
}

MemoryNeed plan_model(const engine::ModelFacts& facts, const MemoryQuestion& question) {
  MemoryNeed need;
  if (encoder::runs_on_onednn(facts)) {
    const encoder::EncoderMemory memory =
        encoder::plan_encoder(facts, encoder::fastest_exact(), question.threads);
    need.weight_bytes = memory.weight_bytes;
    need.compute_bytes = memory.compute_bytes;
    need.vocabulary_bytes = memory.vocabulary_bytes;
    need.mapped_bytes = memory.mapped_bytes;
    return need;
  }
  // libllama takes a whole text in one pass where it reads both ways.
  const engine::MemoryPlan plan =
      facts.encoder ? engine::plan_memory(facts, facts.context_tokens, facts.context_tokens)
                    : tiers::plan_generator(facts, question.context_tokens);
  need.weight_bytes = plan.weight_bytes;
  need.kv_bytes = scaled(plan.kv_bytes, question.kv);
  need.compute_bytes = plan.compute_bytes;
  need.vocabulary_bytes = plan.vocabulary_bytes;
  return need;
}

std::optional<engine::ModelFacts> facts_of(const CatalogueModel& model, const ModelFile& file) {
  if (!model.shape) return std::nullopt;
  const ModelShape& shape = *model.shape;
  engine::ModelFacts facts;
  facts.architecture = shape.architecture;
  facts.name = model.name;
  facts.quantization = file.quantisation;
  facts.licence = model.licence.name;
  facts.file_bytes = facts.weight_bytes = file.bytes;
  facts.parameters = model.parameters;
  facts.layers = shape.layers;
  facts.embedding_width = shape.width;
  facts.feed_forward_width = shape.feed_forward;
  facts.heads = shape.heads;
  facts.kv_heads = shape.kv_heads;
  facts.key_width = facts.value_width = shape.head_width;
  facts.context_tokens = model.context_tokens;
  facts.vocabulary = shape.vocabulary;
  facts.encoder = model.has_role(Role::Embedding) || model.has_role(Role::Reranker);
  facts.reranker = model.has_role(Role::Reranker);
  return facts;
}

}  // namespace tinyarms::advice
