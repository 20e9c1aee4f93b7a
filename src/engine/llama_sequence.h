// A TokenSequence over a libllama context that belongs to one request at a time.
#pragma once

#include <llama.h>

#include <filesystem>
#include <vector>

#include "base/stop_flag.h"
#include "engine/scheduler/core_budget.h"
#include "engine/token_sequence.h"

namespace tinyarms::engine {

struct LlamaSequenceOptions {
  size_t batch_tokens = 512;
  size_t outputs_max = 1;  // as the context was made
  CoreBudget* cores = nullptr;  // a share of it for each pass; null: the context's own threads
  std::filesystem::path place;  // names the model in errors
};

class LlamaSequence final : public TokenSequence {
 public:
  // Starts empty: what the context held is forgotten. Context and flag outlive it. The context's
  // abort callback looks at `stop`.
  LlamaSequence(llama_context* context, LlamaSequenceOptions options, const StopFlag& stop);

  Result<void> append(std::span<const int32_t> tokens, size_t outputs) override;
  std::span<const float> logits(size_t index) const override;
  Result<void> rewind(size_t length) override;
  size_t length() const override { return length_; }
  size_t capacity() const override { return llama_n_ctx(context_); }
  size_t outputs_max() const override { return options_.outputs_max; }

 private:
  int compute(const llama_batch& batch);  // libllama's code
  Result<void> decode(std::span<const int32_t> tokens, size_t outputs);

  llama_context* context_;
  LlamaSequenceOptions options_;
  const StopFlag& stop_;
  size_t vocabulary_size_;
  size_t length_ = 0;
  size_t outputs_ = 0;                // of the last append
  std::vector<int32_t> tokens_;       // libllama wants them mutable
  std::vector<llama_pos> positions_;  //
  std::vector<int8_t> wanted_;        // which have logits
};

}  // namespace tinyarms::engine
