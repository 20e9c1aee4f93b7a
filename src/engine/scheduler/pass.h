// One pass of a context over some tokens of several requests, and what to do where it fails.
#pragma once

#include <llama-cpp.h>

#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/scheduler/core_budget.h"
#include "engine/scheduler/kv_store.h"
#include "engine/scheduler/running_request.h"

namespace tinyarms::engine {

struct PassMember {
  RunningRequest* request = nullptr;
  size_t tokens = 0;   // of its pending ones
  int32_t output = -1;  // row of the batch with the logits of its last token; −1: none
};

class Pass {
 public:
  using Decode = std::function<int(llama_context*, const llama_batch&)>;

  // `decode` stands in for libllama's where it is not empty.
  Pass(const LanguageModel& model, CoreBudget& cores, KvStore& kv, llama_context* context,
       Decode decode);
  ~Pass();
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

  // Whether the pass under way may be let go. From the threads that compute it.
  bool unwanted() const;

  // Computes; on success the members' tokens are in memory and `on_logits` has seen each row. A
  // pass that fails is tried again for each member alone, and who fails alone is told to
  // `on_failure`. Members that nobody wants any more may be left where they were.
  void run(std::span<PassMember> members,
           const std::function<void(RunningRequest&, std::span<const float>)>& on_logits,
           const std::function<void(RunningRequest&, Error)>& on_failure);

 private:
  int compute(std::span<PassMember> members);
  Error failure(int code) const;

  const LanguageModel& model_;
  CoreBudget& cores_;
  KvStore& kv_;
  Decode decode_;
  llama_context* context_;
  llama_batch batch_;
  int threads_ = 0;
  std::vector<const RunningRequest*> watched_;  // constant while a pass computes
};

}  // namespace tinyarms::engine
