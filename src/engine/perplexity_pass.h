// One pass of a language model over one chunk of a text: the logits of its second half. What
// perplexity, divergence and importance matrices are measured with.
#pragma once

#include <ggml-backend.h>
#include <llama-cpp.h>

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "engine/language_model.h"

namespace tinyarms::engine {

struct PassOptions {
  uint32_t chunk_tokens = 512;  // clipped to what the model was trained for
  int threads = 0;
  // Sees every tensor while it is computed (libllama's cb_eval); null: none.
  ggml_backend_sched_eval_callback observer = nullptr;
  void* observer_data = nullptr;
};

// One thread at a time; the model outlives it.
class ChunkPass {
 public:
  // Errors: Unsupported (a vocabulary that ends every text with a token), OverBudget, Internal.
  static Result<std::unique_ptr<ChunkPass>> create(const LanguageModel& model,
                                                   const PassOptions& options);

  // The text's tokens, cut to whole chunks; at least one. Errors: InvalidArgument (shorter than a
  // chunk, not UTF-8).
  Result<std::vector<llama_token>> tokenize(std::string_view text) const;

  uint32_t chunk_tokens() const { return chunk_tokens_; }
  uint32_t first() const { return chunk_tokens_ / 2; }  // whose logits are the first
  size_t vocabulary() const { return vocabulary_size_; }

  // Logits of positions first() … chunk_tokens()−1, one vocabulary after the other; valid until
  // the next call. Where the vocabulary begins texts with a token, that stands in place of the
  // chunk's first. Errors: Interrupted, Internal.
  Result<std::span<const float>> run(std::span<const llama_token> chunk, const StopFlag& stop);

 private:
  explicit ChunkPass(const LanguageModel& model);
  Result<void> open(const PassOptions& options);

  const LanguageModel& model_;
  const llama_vocab* vocabulary_;
  size_t vocabulary_size_;
  uint32_t chunk_tokens_ = 0;
  const StopFlag* stop_ = nullptr;
  llama_context_ptr context_;
};

}  // namespace tinyarms::engine
