#include "tiers/model_loader.h"

#include <algorithm>

#include "base/file_stamp.h"
#include "engine/drafting_generator.h"
#include "engine/scheduler/scheduled_generator.h"
#include "engine/snapshots/snapshot_keeper.h"

namespace tinyarms::tiers {
namespace {

constexpr uint32_t kBatchTokens = 512;
constexpr uint32_t kGuessesMax = 32;  // of a draft, in one pass: docs/escalation.md
// Answered requests whose tokens stay in memory; libllama keeps a row of logits for each.
constexpr uint32_t kKeptSequences = 8;

uint32_t clipped(const engine::ModelFacts& facts, uint32_t context_tokens) {
  return facts.context_tokens == 0 ? context_tokens
                                   : std::min(context_tokens, facts.context_tokens);
}

}  // namespace

engine::MemoryPlan plan_generator(const engine::ModelFacts& facts, uint32_t context_tokens,
                                  uint32_t parallel) {
  engine::ModelFacts all = facts;  // each request's context is clipped, not their sum
  all.context_tokens = clipped(facts, context_tokens) * parallel;
  engine::MemoryPlan plan = engine::plan_memory(all, all.context_tokens, kBatchTokens);
  plan.compute_bytes += uint64_t(kKeptSequences + parallel) * facts.vocabulary * sizeof(float);
  return plan;
}

Result<uint64_t> EngineLoader::bytes_needed(const std::filesystem::path& file,
                                            uint32_t context_tokens) {
  auto facts = engine::inspect_model(file);
  if (!facts) return facts.error();
  const uint64_t serving = plan_generator(*facts, context_tokens, parallel_).total();
  if (file != verifier_) return serving;
  const engine::MemoryPlan drafts =
      engine::plan_memory(*facts, context_tokens, kBatchTokens, kGuessesMax);
  return serving + drafts.kv_bytes + drafts.compute_bytes;
}

Result<LoadedModel> EngineLoader::make(const StopFlag* stop, const std::filesystem::path& file,
                                       uint32_t context_tokens) {
  const std::string stamp = file_stamp(file);
  auto weights = engine::LanguageModel::load(file, stop);
  if (!weights) return weights.error();
  const uint32_t tokens = clipped((*weights)->facts(), context_tokens);
  engine::SchedulerOptions options{.context_tokens = context_tokens,
                                   .parallel = parallel_,
                                   .kv_tokens = tokens * parallel_,
                                   .batch_tokens = kBatchTokens,
                                   .kept_sequences = kKeptSequences,
                                   .snapshots = snapshots_};
  // Of a file that was replaced meanwhile nobody knows which one was loaded.
  if (stamp == file_stamp(file)) options.model_stamp = stamp;
  if (snapshots_.disk != nullptr) {
    options.model_hash = content_hash_(file);
    snapshots_.disk->folder().refresh();
  }
  auto scheduler = engine::Scheduler::create(**weights, cores_, options);
  if (!scheduler) return scheduler.error();
  engine::CompletionEngine* completions = scheduler->get();
  std::string vocabulary = (*weights)->vocabulary_fingerprint();
  std::unique_ptr<engine::Generator> generator = std::make_unique<engine::ScheduledGenerator>(
      std::move(*scheduler), vocabulary);
  if (file == verifier_ && (*weights)->can_rewind()) {
    generator = std::make_unique<engine::DraftingGenerator>(
        std::move(generator), **weights,
        engine::GeneratorOptions{.context_tokens = context_tokens,
                                 .batch_tokens = kBatchTokens,
                                 .threads = cores_.cores(),
                                 .cores = &cores_,
                                 .guesses_max = kGuessesMax});
  }
  return LoadedModel{std::move(*weights), std::move(generator), completions,
                     std::move(vocabulary)};
}

}  // namespace tinyarms::tiers
