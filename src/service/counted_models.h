// Encoders and rerankers that count in the memory budget of a process's models, and that `tinyarms
// ps` shows. They are loaded as without it; room is set aside before.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/embedder.h"
#include "engine/model_facts.h"
#include "engine/reranker.h"
#include "tiers/model_shelf.h"

namespace tinyarms::service {

struct Counting {
  tiers::ModelShelf* shelf = nullptr;  // outlives the model; null: it is not counted
  std::string use = {};                // tiers::ShelvedModel::use
};

// What load_text_encoder, load_cross_encoder or load_late_interaction take for such a model.
uint64_t encoder_bytes(const engine::ModelFacts& facts, int threads);

// Errors: OverBudget; those of encoder::load_text_encoder.
Result<std::unique_ptr<engine::Embedder>> load_counted_encoder(const std::filesystem::path& path,
                                                               int threads,
                                                               const Counting& counting);

// `bytes` is what `load` will take. Errors: OverBudget; those of `load`.
Result<std::unique_ptr<engine::Reranker>> load_counted_reranker(
    const engine::ModelFacts& facts, uint64_t bytes, const Counting& counting,
    const std::function<Result<std::unique_ptr<engine::Reranker>>()>& load);

}  // namespace tinyarms::service
