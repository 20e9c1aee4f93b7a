// Confidence at no extra pass: what one vector of logits says about the token chosen from it.
#pragma once

#include <cstdint>
#include <span>

namespace tinyarms::engine {

// Over the softmax at temperature 1 of the raw logits; natural logarithms.
struct TokenStatistics {
  float top1 = 0;            // largest probability
  float top2 = 0;            // second largest
  float entropy = 0;         // nats, [0, log(vocabulary)]
  float logit_variance = 0;  // population variance of the finite logits; at most FLT_MAX
  float logprob = 0;         // of the chosen token, ≤ 0
  float margin() const { return top1 - top2; }
};

// What one pass finds out before a token is chosen.
struct LogitScan {
  TokenStatistics statistics;  // `logprob` is the most likely token's
  int32_t top_token = -1;      // the first of the largest logits; -1 where there is none
  float top_logit = 0;
  double log_sum = 0;  // log Σ exp(logit − top_logit); not finite where a logit was NaN

  TokenStatistics choosing(float logit) const;  // of the chosen token
};

// One pass over `logits` in cache-sized blocks, vectorised. At least two entries, all finite or
// −infinity (a masked token). Method: softmax with a running maximum (Milakov & Gimelshein 2018,
// "Online normalizer calculation for softmax"), rescaled once a block; entropy as
// log Σe − Σ(e·d)/Σe with d = logit − maximum; variance by Chan's parallel formula.
LogitScan scan_logits(std::span<const float> logits);

// The same for a token that is chosen already; `chosen` indexes `logits`.
TokenStatistics token_statistics(std::span<const float> logits, int32_t chosen);

}  // namespace tinyarms::engine
