#include "engine/memory_plan.h"

#include <gtest/gtest.h>

namespace tinyarms::engine {
namespace {

ModelFacts smollm2() {
  ModelFacts facts;
  facts.weight_bytes = 96'000'000;
  facts.layers = 30;
  facts.embedding_width = 576;
  facts.feed_forward_width = 1536;
  facts.heads = 9;
  facts.kv_heads = 3;
  facts.key_width = 64;
  facts.value_width = 64;
  facts.context_tokens = 8192;
  facts.vocabulary = 49152;
  return facts;
}

TEST(MemoryPlan, CountsKeysAndValuesOfTheWholeContext) {
  const MemoryPlan plan = plan_memory(smollm2(), 4096, 512);
  EXPECT_EQ(plan.weight_bytes, 96'000'000u);
  EXPECT_EQ(plan.kv_bytes, 30u * 3 * (64 + 64) * 2 * 4096);
  EXPECT_EQ(plan.total(), plan.weight_bytes + plan.kv_bytes + plan.compute_bytes +
                              plan.vocabulary_bytes);
}

TEST(MemoryPlan, ClipsTheContextAsTheGeneratorDoes) {
  EXPECT_EQ(plan_memory(smollm2(), 1'000'000, 512).kv_bytes,
            plan_memory(smollm2(), 8192, 512).kv_bytes);
  EXPECT_EQ(plan_memory(smollm2(), 300, 512).kv_bytes, plan_memory(smollm2(), 512, 512).kv_bytes);
  EXPECT_LT(plan_memory(smollm2(), 256, 512).compute_bytes,
            plan_memory(smollm2(), 512, 512).compute_bytes);
}

TEST(MemoryPlan, GrowsWithTheBatch) {
  EXPECT_GT(plan_memory(smollm2(), 4096, 1024).compute_bytes,
            plan_memory(smollm2(), 4096, 512).compute_bytes);
  EXPECT_GT(plan_memory(smollm2(), 0, 0).total(), 96'000'000u);
}

TEST(MemoryPlan, AnEncoderKeepsNothing) {
  ModelFacts facts = smollm2();
  facts.encoder = true;
  EXPECT_EQ(plan_memory(facts, 256, 256).kv_bytes, 0u);
}

TEST(MemoryPlan, DoesNotOverflowOnAbsurdFacts) {
  ModelFacts facts = smollm2();
  facts.layers = facts.kv_heads = 1 << 16;
  EXPECT_GT(plan_memory(facts, 8192, 512).kv_bytes, uint64_t{1} << 40);
}

}  // namespace
}  // namespace tinyarms::engine
