// One position's logits: what they say as probabilities, and how far two models' differ. A pass
// over a vocabulary each, compiled for speed.
#pragma once

#include <cstdint>
#include <span>

namespace tinyarms::engine {

struct LogitSummary {
  double log_sum = 0;  // ln Σ exp(logit): log p(token) = logit − log_sum
  int32_t top = 0;     // the first of the largest
  bool finite = true;
};

// `logits` is not empty.
LogitSummary summarise_logits(std::span<const float> logits);

struct ScoredLogits {
  std::span<const float> logits;
  double log_sum = 0;
};

// Kullback–Leibler divergence Σ p ln(p/q), in nats, of `candidate` (q) from `reference` (p). Both
// have the same, non-zero length.
double divergence(const ScoredLogits& reference, const ScoredLogits& candidate);

}  // namespace tinyarms::engine
