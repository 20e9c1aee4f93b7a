// How many tokens of each sequence go into the next pass: whoever is writing an answer gets its
// token in every pass, and prompts share what is left, so that a long one holds up neither the
// answers nor the short ones.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/scheduler/completion.h"

namespace tinyarms::engine {

struct PendingTokens {
  size_t count = 0;  // not computed yet; 1 while an answer is written
  Priority priority = Priority::Interactive;
};

struct BatchLimits {
  size_t batch_tokens = 512;   // of one pass
  size_t prompt_tokens = 512;  // of those for prompts, in a pass that also writes answers
};

// Prompts of one priority get equal shares, and what a short one does not need goes to the longer
// ones; interactive prompts leave an eighth to those of a batch. The sum is at most
// `batch_tokens`; at least one token goes to somebody where anything is pending.
std::vector<size_t> plan_batch(std::span<const PendingTokens> pending, const BatchLimits& limits);

}  // namespace tinyarms::engine
