// A libllama context that takes many token lists at once and gives one vector for each: what an
// embedder and a cross-encoder have in common.
#pragma once

#include <llama-cpp.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"

namespace tinyarms::engine {

struct PooledPassesOptions {
  uint32_t window = 0;                                             // tokens of the longest list
  enum llama_pooling_type pooling = LLAMA_POOLING_TYPE_UNSPECIFIED;  // as the file says
  int threads = 0;                                                 // as resolve_threads has them
};

// By one thread at a time.
class PooledPasses {
 public:
  using Tokens = std::vector<llama_token>;

  // The model outlives it; `place` names it in errors: those of open_llama_context.
  static Result<PooledPasses> open(const llama_model* model, const std::filesystem::path& place,
                                   const PooledPassesOptions& options);
  PooledPasses(PooledPasses&&) = default;
  PooledPasses& operator=(PooledPasses&&) = default;

  // How the outputs of a list become one vector: the file's own way where none was asked for.
  enum llama_pooling_type pooling() const { return llama_pooling_type(context_.get()); }

  // Lists of like length share a pass, the longest first; none is longer than the window.
  // `on_vector` is called once a list with its index and the model's vector, valid during the call.
  // Errors: its own; Interrupted between two passes; Internal (libllama failed).
  using OnVector = std::function<Result<void>(size_t index, const float* vector)>;
  Result<void> compute(std::span<const Tokens> lists, const OnVector& on_vector,
                       const StopFlag* stop = nullptr);

 private:
  struct FreeBatch {
    void operator()(llama_batch* batch) const {
      llama_batch_free(*batch);
      delete batch;
    }
  };

  PooledPasses(llama_context_ptr context, uint32_t pass_tokens, std::filesystem::path place);
  Result<void> pass(std::span<const Tokens> lists, std::span<const size_t> chosen,
                    const OnVector& on_vector);
  Error failure(std::string what) const;

  llama_context_ptr context_;
  std::unique_ptr<llama_batch, FreeBatch> batch_;
  size_t pass_tokens_;
  std::filesystem::path place_;
};

}  // namespace tinyarms::engine
