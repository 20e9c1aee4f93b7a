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
  float logit_variance = 0;  // population variance of the logits
  float logprob = 0;         // of the chosen token, ≤ 0
  float margin() const { return top1 - top2; }
};

// One pass over `logits` in cache-sized blocks, vectorised. `chosen` indexes `logits`, which has
// at least two entries, all finite or −infinity (a masked token).
TokenStatistics token_statistics(std::span<const float> logits, int32_t chosen);

}  // namespace tinyarms::engine
