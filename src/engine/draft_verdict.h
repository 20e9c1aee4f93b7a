// All of a draft under the model, whatever the model would have written itself: one number for
// "is this an answer that I could have given". It is what endorsing a draft is decided by.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/token_loop.h"

namespace tinyarms::engine {

struct DraftVerdict {
  bool endorsed = false;
  // Of the draft's tokens, as far as they were looked at: all of an endorsed draft.
  std::vector<TokenStatistics> tokens;
  std::vector<double> gaps;   // of each, as Guesser::judged has it
  size_t agreed = 0;          // leading tokens that were the model's choice
  int32_t own_token = -1;     // its choice after them
  TokenStatistics own;        // of that choice
};

// Appends `prompt` and then `draft` (not empty, both fit) piece by piece. Ends early where the
// mean log-probability over all of the draft can no longer reach `logprob_mean_min`. `choose` is
// called for the agreed tokens and the one after them, in order. What is not endorsed is taken
// back: `sequence` then holds the prompt and the agreed tokens.
// Errors: those of the sequence; Corrupt.
Result<DraftVerdict> judge_draft(TokenSequence& sequence, std::span<const int32_t> prompt,
                                 std::span<const int32_t> draft, double logprob_mean_min,
                                 const TokenLoop& loop);

}  // namespace tinyarms::engine
