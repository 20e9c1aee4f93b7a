#include "engine/sampler.h"

#include <algorithm>

#include "engine/fast_exp.h"

namespace tinyarms::engine {
namespace {

constexpr size_t kBlock = 2048;

inline float weight_of(float logit, float top, float inverse_temperature) {
  const float distance = (logit - top) * inverse_temperature;
  return distance < kExpFloor ? 0.0f : fast_exp(distance);
}

float sum_of(std::span<const float> block, float top, float inverse_temperature) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (size_t i = 0; i < block.size(); ++i) {
    sum += weight_of(block[i], top, inverse_temperature);
  }
  return sum;
}

}  // namespace

int32_t Sampler::draw(std::span<const float> logits, const LogitScan& scan) {
  if (temperature_ <= 0) return scan.top_token;
  // At a vanishing temperature the inverse overflows: the limit is the most likely token.
  const auto inverse = static_cast<float>(1.0 / std::max(temperature_, 1e-6));

  // Inverse of the distribution function in two steps: the block first, then the token in it, so
  // that no copy of the vocabulary is made and only one block is walked token by token.
  block_sums_.clear();
  double total = 0;
  for (size_t first = 0; first < logits.size(); first += kBlock) {
    const auto block = logits.subspan(first, std::min(kBlock, logits.size() - first));
    block_sums_.push_back(sum_of(block, scan.top_logit, inverse));
    total += block_sums_.back();
  }
  const double uniform = static_cast<double>(random_() >> 11) * 0x1.0p-53;  // [0, 1)
  double left = uniform * total;
  size_t block = 0;
  while (block + 1 < block_sums_.size() && left >= block_sums_[block]) {
    left -= block_sums_[block++];
  }
  const size_t first = block * kBlock;
  const size_t last = std::min(first + kBlock, logits.size());
  int32_t drawn = scan.top_token;  // where rounding leaves a remainder and the block is masked
  for (size_t i = first; i < last; ++i) {
    const float weight = weight_of(logits[i], scan.top_logit, inverse);
    if (weight <= 0) continue;
    drawn = static_cast<int32_t>(i);
    left -= weight;
    if (left < 0) break;
  }
  return drawn;
}

}  // namespace tinyarms::engine
