#include "advice/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advice/stack_plan.h"
#include "service/settings.h"

namespace tinyarms::advice {
namespace {

engine::ModelFacts facts_at(const Catalogue& catalogue, const char* name) {
  const auto choice = match_catalogue(catalogue, name);
  if (!choice) {
    ADD_FAILURE() << name;
    return {};
  }
  return facts_of(*choice->model, *choice->file).value_or(engine::ModelFacts{});
}

TEST(ModelMemory, KeysAndValuesFollowTheirType) {
  const Catalogue catalogue = load_catalogue("");
  const engine::ModelFacts facts = facts_at(catalogue, "qwen2.5-coder-7b");
  const MemoryNeed f16 = plan_model(facts, {.context_tokens = 4096});
  EXPECT_EQ(f16.kv_bytes, 2u * 28 * 4 * 128 * 2 * 4096);
  EXPECT_EQ(plan_model(facts, {.context_tokens = 4096, .kv = KvType::F32}).kv_bytes,
            2 * f16.kv_bytes);
  EXPECT_EQ(plan_model(facts, {.context_tokens = 4096, .kv = KvType::Q8_0}).kv_bytes,
            f16.kv_bytes / 64 * 34);
  EXPECT_EQ(f16.weight_bytes, 4'700'000'000u);
}

TEST(ModelMemory, NamesOfFilesLeadToTheCatalogue) {
  const Catalogue catalogue = load_catalogue("");
  for (const char* name :
       {"qwen2.5-coder-3b", "qwen2.5-coder-3b:q4_k_m", "Qwen2.5-Coder-3B-Instruct-Q4_K_M",
        "qwen2.5-coder-3b-instruct.q4_k_m"}) {
    const auto choice = match_catalogue(catalogue, name);
    ASSERT_TRUE(choice) << name;
    EXPECT_EQ(choice->model->name, "qwen2.5-coder-3b");
    EXPECT_EQ(choice->file->quantisation, "Q4_K_M");
  }
  EXPECT_FALSE(match_catalogue(catalogue, "qwen2.5-coder-3b:q4_1"));
  EXPECT_FALSE(match_catalogue(catalogue, "nothing"));
  EXPECT_FALSE(match_catalogue(catalogue, "gpt-5"));  // remote: no file
}

TEST(StackPlan, AddsUpTheRecommendedStackFromTheCatalogue) {
  const Catalogue catalogue = load_catalogue("");
  const catalog::ModelStore store("/nonexistent-folder-of-models");
  service::Settings settings;
  settings.l1.model = "all-minilm-l6-v2";
  settings.l2.model = "qwen2.5-coder-3b";
  settings.l3.model = "qwen2.5-coder-7b:q4_k_m";
  settings.memory_budget_bytes = 8'000'000'000;
  const StackPlan plan = plan_stack(settings, store, catalogue, {});
  ASSERT_EQ(plan.tiers.size(), 3u);
  for (const PlannedTier& tier : plan.tiers) {
    EXPECT_FALSE(tier.problem) << tier.problem->message();
    EXPECT_FALSE(tier.installed);
  }
  EXPECT_EQ(plan.tiers[1].context_tokens, 4096u);
  EXPECT_NEAR(static_cast<double>(plan.tiers[1].cumulative_bytes), 2.5e9, 0.4e9);
  EXPECT_NEAR(static_cast<double>(plan.total_bytes), 7.2e9, 0.6e9);
  EXPECT_TRUE(plan.fits());
}

TEST(StackPlan, OneModelInTwoTiersCountsOnce) {
  const Catalogue catalogue = load_catalogue("");
  service::Settings settings;
  settings.l1.enabled = false;
  settings.l2.model = settings.l3.model = "qwen2.5-coder-0.5b";
  settings.memory_budget_bytes = 1;
  const StackPlan plan =
      plan_stack(settings, catalog::ModelStore("/nonexistent-folder-of-models"), catalogue,
                 {.context_tokens = 1024});
  ASSERT_EQ(plan.tiers.size(), 2u);
  EXPECT_TRUE(plan.tiers[1].shared);
  EXPECT_EQ(plan.total_bytes, plan.tiers[0].need.total());
  EXPECT_EQ(plan.tiers[0].context_tokens, 1024u);
  EXPECT_FALSE(plan.fits());
}

TEST(StackPlan, AModelThatNobodyKnowsIsAProblemOfItsTier) {
  const Catalogue catalogue = load_catalogue("");
  service::Settings settings;
  settings.l1.model = "embeddinggemma-300m";  // of no known shape
  settings.l2.model = "no-such-model";
  settings.memory_budget_bytes = 1'000'000'000;
  const StackPlan plan =
      plan_stack(settings, catalog::ModelStore("/nonexistent-folder-of-models"), catalogue, {});
  ASSERT_EQ(plan.tiers.size(), 2u);
  ASSERT_TRUE(plan.tiers[0].problem);
  EXPECT_EQ(plan.tiers[0].problem->code, ErrorCode::Unsupported);
  ASSERT_TRUE(plan.tiers[1].problem);
  EXPECT_EQ(plan.tiers[1].problem->code, ErrorCode::NotFound);
  EXPECT_EQ(plan.total_bytes, 0u);
  EXPECT_FALSE(plan.fits());
}

}  // namespace
}  // namespace tinyarms::advice
