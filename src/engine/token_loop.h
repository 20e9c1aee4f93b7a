// The loop of decoding: logits → token → next logits, with guesses about what comes next verified
// several at a time. A guess is accepted where the model chooses the same token at its place, so
// that guesses change how many passes an answer takes and never which tokens it has.
//
// With sampling that is speculative sampling (Leviathan et al. 2023, Chen et al. 2023) for a draft
// whose own probabilities are not known: the guess x is kept with probability p(x), and what
// replaces it follows p given that it is not x. Drawing first and comparing then does both at
// once, with one random number a token as in plain decoding: the same seed gives the same answer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "base/result.h"
#include "engine/token_sequence.h"
#include "engine/token_statistics.h"

namespace tinyarms::engine {

enum class FinishReason {
  Stop,
  Length,
  Interrupted,
  Abandoned,  // by the caller's own test (GenerateOptions::give_up)
};

// Where guesses come from. The calls are in the order of the loop.
class Guesser {
 public:
  virtual ~Guesser() = default;
  // The tokens that may come next, in order, at most `tokens_max`; empty: no idea. Valid until
  // decided().
  virtual std::span<const int32_t> guess(size_t tokens_max) = 0;
  // A guess, in order: what the model says of it at its place (after the guesses before it), by
  // how much its own first choice has the larger logit, and whether the guess was accepted.
  virtual void judged(const TokenStatistics&, double /*gap*/, bool /*accepted*/) {}
  // What was decided: the accepted guesses and the model's own token after them.
  virtual void decided(std::span<const int32_t> tokens, size_t guesses) = 0;
};

class NoGuesses final : public Guesser {
 public:
  std::span<const int32_t> guess(size_t) override { return {}; }
  void decided(std::span<const int32_t>, size_t) override {}
};

struct TokenLoop {
  // Chooses a token; called once for each token of the answer, in order.
  std::function<int32_t(std::span<const float> logits, const LogitScan&)> choose;
  // Takes a token of the answer; says how the answer ended where it did. It must end an answer
  // that fills the sequence.
  std::function<std::optional<FinishReason>(int32_t token, const TokenStatistics&)> take;
};

// Appends `pending` (not empty, and what it leaves free is ≥ 1) and decodes until `take` says how
// it ended. Errors: those of the sequence, Corrupt (the logits are not numbers). An interruption
// after the first token is no error.
Result<FinishReason> decode_tokens(TokenSequence& sequence, std::span<const int32_t> pending,
                                   Guesser& guesser, const TokenLoop& loop);

// Logits that can be chosen from, or Corrupt.
Result<LogitScan> scan_checked(std::span<const float> logits);

}  // namespace tinyarms::engine
