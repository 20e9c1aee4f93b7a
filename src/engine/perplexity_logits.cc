#include "engine/perplexity_logits.h"

#include <cmath>

#include "engine/fast_exp.h"

namespace tinyarms::engine {
namespace {

// Sums are kept in single precision over blocks of this size, in double over blocks.
constexpr size_t kBlock = 1024;

}  // namespace

LogitSummary summarise_logits(std::span<const float> logits) {
  LogitSummary summary;
  float largest = logits[0];
  for (size_t i = 1; i < logits.size(); ++i) {
    if (logits[i] > largest) {
      largest = logits[i];
      summary.top = static_cast<int32_t>(i);
    }
  }
  double total = 0;
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const size_t end = begin + kBlock < logits.size() ? begin + kBlock : logits.size();
    float sum = 0;
    for (size_t i = begin; i < end; ++i) sum += fast_exp(logits[i] - largest);
    total += static_cast<double>(sum);
  }
  summary.log_sum = static_cast<double>(largest) + std::log(total);
  summary.finite = std::isfinite(summary.log_sum);
  return summary;
}

// Σ p (ln p − ln q) = Σ p (a − b − d) / Σ p − (A − B − d), with logits a and b, their log sums A
// and B, and any d: with d ≈ A − B the large numbers cancel before they are summed in single
// precision.
double divergence(const ScoredLogits& reference, const ScoredLogits& candidate) {
  const auto shift = static_cast<float>(reference.log_sum);
  const double difference = reference.log_sum - candidate.log_sum;
  const auto offset = static_cast<float>(difference);
  const float* a = reference.logits.data();
  const float* b = candidate.logits.data();
  const size_t count = reference.logits.size();
  double weighted = 0;
  double mass = 0;
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t end = begin + kBlock < count ? begin + kBlock : count;
    float block = 0;
    float block_mass = 0;
    for (size_t i = begin; i < end; ++i) {
      // Rounding may leave ln p a hair above zero, which fast_exp does not take.
      const float log_p = a[i] - shift;
      const float p = fast_exp(log_p < 0 ? log_p : 0);
      block += p * (a[i] - b[i] - offset);
      block_mass += p;
    }
    weighted += static_cast<double>(block);
    mass += static_cast<double>(block_mass);
  }
  return weighted / mass - (difference - static_cast<double>(offset));
}

}  // namespace tinyarms::engine
