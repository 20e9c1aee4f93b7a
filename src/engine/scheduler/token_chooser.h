// From logits to the next token of one answer, under everything a request may ask of sampling.
#pragma once

#include <llama.h>

#include <map>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/sampler.h"
#include "engine/scheduler/completion.h"
#include "engine/scheduler/grammar.h"
#include "engine/token_statistics.h"

namespace tinyarms::engine {

// Errors: InvalidArgument, naming the option and its range.
Result<void> check_sampling(const SamplingOptions& options, int32_t vocabulary);

// One answer's; not thread-safe. A request without constraints draws exactly what engine/sampler.h
// draws for the same seed.
class TokenChooser {
 public:
  // `grammar` may be null.
  TokenChooser(const SamplingOptions& options, std::span<const llama_token> prompt,
               std::unique_ptr<Grammar> grammar);

  struct Choice {
    llama_token token = -1;
    TokenStatistics statistics;  // of the unmodified logits
  };
  // Errors: Corrupt (the logits are not numbers), Internal (no token is left by the constraints).
  Result<Choice> choose(std::span<const float> logits);

  // The likeliest tokens of the logits that were last chosen from, with their log-probabilities.
  struct Ranked {
    llama_token token = -1;
    double logprob = 0;
  };
  std::vector<Ranked> likeliest(std::span<const float> logits, size_t count) const;

 private:
  bool plain() const;
  void modify(std::span<float> logits) const;
  llama_token draw(std::span<const float> logits);
  llama_token draw_among(std::span<const float> logits, std::vector<llama_token>& candidates,
                         double total);
  void remember(llama_token token);

  SamplingOptions options_;
  std::unique_ptr<Grammar> grammar_;
  Sampler sampler_;        // where nothing cuts the distribution
  std::mt19937_64 random_;
  std::vector<llama_token> recent_;       // the last tokens, prompt included
  std::map<llama_token, int> generated_;  // how often each
  std::vector<float> scratch_;            // modified logits; kept: no allocation a token
  std::vector<llama_token> order_;
  LogitScan scan_;
};

}  // namespace tinyarms::engine
