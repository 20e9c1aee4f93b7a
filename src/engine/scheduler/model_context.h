// A context over one model, made so that sequences may share cells, with the pass that computes in
// it and the store of what it holds.
#pragma once

#include <llama-cpp.h>

#include <memory>

#include "engine/language_model.h"
#include "engine/memory_plan.h"
#include "engine/scheduler/pass.h"

namespace tinyarms::engine {

struct ContextShape {
  uint32_t cells = 4096;
  uint32_t batch_tokens = 512;
  uint32_t running = 1;  // sequences computed at once
  uint32_t kept = 16;    // further sequences that stay in memory
};

class ModelContext {
 public:
  // Errors: OverBudget or Internal where it cannot be allocated.
  static Result<std::unique_ptr<ModelContext>> create(const LanguageModel& model,
                                                      CoreBudget& cores, ContextShape shape,
                                                      Pass::Decode decode);
  KvStore& kv() { return *kv_; }
  Pass& pass() { return *pass_; }
  llama_context* handle() { return context_.get(); }
  // What of this context's set-up the bytes of its memory depend on.
  const std::string& numerics() const { return numerics_; }
  size_t batch_tokens() const { return llama_n_batch(context_.get()); }
  MemoryPlan memory_taken() const;

 private:
  ModelContext() = default;

  Pass* aborting_ = nullptr;  // libllama holds its address
  llama_context_ptr context_;
  std::string numerics_;
  std::unique_ptr<KvStore> kv_;
  std::unique_ptr<Pass> pass_;
};

}  // namespace tinyarms::engine
