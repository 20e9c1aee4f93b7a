// One sequence of tokens in a model's context, as decoding needs it: append, read logits, forget.
// The port between the loop over tokens (engine/token_loop.h) and whoever owns the context.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"

namespace tinyarms::engine {

class TokenSequence {
 public:
  virtual ~TokenSequence() = default;

  // Appends `tokens` and computes the logits after each of the last `outputs` of them;
  // 1 ≤ outputs ≤ outputs_max(), outputs ≤ tokens. What is appended fits: length() + tokens.size()
  // ≤ capacity(). Errors: Interrupted (the request was stopped), Internal (decoding failed); the
  // sequence is of no use then.
  virtual Result<void> append(std::span<const int32_t> tokens, size_t outputs) = 0;

  // After the index-th of the last append's `outputs`, 0 first; valid until the next append.
  virtual std::span<const float> logits(size_t index) const = 0;

  // Forgets all but the first `length` tokens. Errors: Internal (the model's memory cannot).
  virtual Result<void> rewind(size_t length) = 0;

  virtual size_t length() const = 0;
  virtual size_t capacity() const = 0;
  virtual size_t outputs_max() const = 0;
};

}  // namespace tinyarms::engine
