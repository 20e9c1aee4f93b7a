// What all tiers of a configuration take together, before anything is loaded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "advice/memory.h"
#include "catalog/model_store.h"
#include "service/settings.h"

namespace tinyarms::advice {

struct PlannedTier {
  std::string tier{};   // "l1", "l2", "l2.maths", "l2.ensemble", "l3"
  std::string model{};  // as configured
  std::string quantisation{};
  uint32_t context_tokens = 0;  // 0: an encoder
  bool installed = false;  // planned from the file; else from the catalogue
  bool estimated = false;  // its size is an estimate
  bool shared = false;     // a tier before has the same model in memory already
  MemoryNeed need{};
  uint64_t cumulative_bytes = 0;  // of this and every tier before
  std::optional<Error> problem{};  // why it could not be planned
};

struct StackPlan {
  std::vector<PlannedTier> tiers{};
  uint64_t total_bytes = 0;
  uint64_t budget_bytes = 0;
  bool complete() const {
    return std::none_of(tiers.begin(), tiers.end(),
                        [](const PlannedTier& tier) { return tier.problem.has_value(); });
  }
  bool fits() const { return complete() && total_bytes <= budget_bytes; }
};

struct StackQuestion {
  std::optional<uint32_t> context_tokens{};  // instead of each tier's own
  KvType kv = KvType::F16;
  uint64_t physical_bytes = 0;
};

// An installed file counts before the catalogue, which knows "qwen2.5-coder-3b",
// "qwen2.5-coder-3b:q4_k_m" and names of files such as "qwen2.5-coder-3b-instruct-q4_k_m".
StackPlan plan_stack(const service::Settings& settings, const catalog::ModelStore& store,
                     const Catalogue& catalogue, const StackQuestion& question);

struct CatalogueChoice {
  const CatalogueModel* model = nullptr;
  const ModelFile* file = nullptr;
};
// Nothing where the catalogue has no such model, or not at that quantisation.
std::optional<CatalogueChoice> match_catalogue(const Catalogue& catalogue, std::string_view name);

}  // namespace tinyarms::advice
