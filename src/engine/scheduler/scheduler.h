// Many requests over one model: one thread owns the context and computes for all of them at once.
// Requests join and leave at any token; prompts are taken in pieces so that they hold up no answer;
// what two requests begin with is computed once. At temperature 0 an answer does not depend on who
// else is computed with it, up to the rounding that the shape of a pass brings (docs/engine.md).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/language_model.h"
#include "engine/memory_plan.h"
#include "engine/scheduler/completion_stream.h"
#include "engine/scheduler/core_budget.h"
#include "engine/scheduler/kv_counters.h"
#include "engine/snapshots/snapshot_places.h"

struct llama_batch;
struct llama_context;

namespace tinyarms::engine {

struct SchedulerOptions {
  uint32_t context_tokens = 4096;  // of one request; clipped to what the model was trained for
  uint32_t parallel = 1;           // requests computed at once
  uint32_t kv_tokens = 0;          // all requests together; 0: `context_tokens`
  uint32_t batch_tokens = 512;
  size_t queue_max = 64;           // requests that may wait
  uint32_t kept_sequences = 16;    // answered requests whose tokens stay in memory
  // Where prefixes go that the context has no room for, and what tells the model from any other in
  // this process (its file's stamp) and anywhere (its content's hash). Without a stamp none stay in
  // memory, without a hash none go to disk.
  SnapshotPlaces snapshots = {};
  std::string model_stamp = {};
  std::string model_hash = {};
  // Instead of libllama's decode, so that a test can make a pass fail; empty: the real one.
  std::function<int(llama_context*, const llama_batch&)> decode = {};
};

struct SchedulerCounters {
  size_t waiting = 0;
  size_t running = 0;
  uint64_t submitted = 0;
  uint64_t refused = 0;  // the queue was full
  uint64_t answered = 0;
  uint64_t failed = 0;   // cancelled ones too, where nothing had been written
  uint64_t parked = 0;   // times that a request made room for one of a higher priority
  uint64_t passes = 0;
  KvCounters kv;
};

// Thread-safe. The model and the cores outlive it. Going, it ends every request as interrupted.
class Scheduler : public CompletionEngine {
 public:
  // Errors: OverBudget or Internal where the context cannot be allocated.
  static Result<std::unique_ptr<Scheduler>> create(const LanguageModel& model, CoreBudget& cores,
                                                   const SchedulerOptions& options);

  virtual SchedulerCounters counters() const = 0;
  // What libllama allocated, by its own account, when the context was made.
  virtual MemoryPlan memory_taken() const = 0;
};

}  // namespace tinyarms::engine
