#include "engine/token_statistics.h"

#include <algorithm>
#include <cassert>
#include <cfloat>
#include <cmath>
#include <iterator>
#include <limits>

#include "engine/fast_exp.h"

namespace tinyarms::engine {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
// 8 KiB: stays in the first-level cache between the loops below, and keeps the partial sums that
// are taken in single precision short.
constexpr size_t kBlock = 2048;

// Side by side in fixed lanes: compilers may not reorder a maximum by themselves, because of NaN
// and the sign of zero.
float largest_of(std::span<const float> logits) {
  constexpr size_t kLanes = 32;
  float lanes[kLanes];
  std::fill(std::begin(lanes), std::end(lanes), kMinusInfinity);
  size_t i = 0;
  for (; i + kLanes <= logits.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float logit = logits[i + lane];
      lanes[lane] = logit > lanes[lane] ? logit : lanes[lane];
    }
  }
  for (; i < logits.size(); ++i) lanes[0] = std::max(lanes[0], logits[i]);
  return *std::max_element(std::begin(lanes), std::end(lanes));
}

struct Moments {
  float mean = 0;
  int finite = 0;
};

Moments moments_of(std::span<const float> block) {
  float sum = 0;
  int finite = 0;
#pragma omp simd reduction(+ : sum, finite)
  for (size_t i = 0; i < block.size(); ++i) {
    const float logit = block[i];
    const bool counts = logit >= -FLT_MAX;
    sum += counts ? logit : 0.0f;
    finite += counts ? 1 : 0;
  }
  return {finite != 0 ? sum / static_cast<float>(finite) : 0.0f, finite};
}

class Scanner {
 public:
  void add(std::span<const float> block, size_t first) {
    rank(block, first, largest_of(block));
    if (top_ == kMinusInfinity) return;  // all masked so far: no maximum to refer to
    accumulate(block, moments_of(block));
  }

  LogitScan finish(size_t vocabulary) const {
    LogitScan scan;
    scan.top_token = top_token_;
    scan.top_logit = top_;
    scan.log_sum = std::log(sum_);
    if (top_token_ < 0) return scan;
    scan.statistics.top1 = static_cast<float>(1.0 / sum_);
    scan.statistics.top2 = static_cast<float>(std::exp(double(second_) - double(top_)) / sum_);
    const double entropy = scan.log_sum - weighted_ / sum_;
    scan.statistics.entropy = static_cast<float>(
        std::clamp(entropy, 0.0, std::log(static_cast<double>(vocabulary))));
    const double variance = count_ > 0 ? squares_ / count_ : 0;
    // Written so that an overflow's NaN becomes the limit too.
    scan.statistics.logit_variance =
        variance < double(FLT_MAX) ? static_cast<float>(variance) : FLT_MAX;
    scan.statistics.logprob = static_cast<float>(-scan.log_sum);
    return scan;
  }

 private:
  // Keeps the two largest. The search inside a block is rare: only a block with a new maximum.
  void rank(std::span<const float> block, size_t first, float largest) {
    if (largest > top_) {
      const auto found = std::find(block.begin(), block.end(), largest);
      const auto index = static_cast<size_t>(found - block.begin());
      second_ = std::max({top_, largest_of(block.first(index)),
                          largest_of(block.subspan(index + 1))});
      const double drop = double(top_) - double(largest);
      if (sum_ > 0) {  // refer the sums to the new maximum
        const double scale = std::exp(drop);
        weighted_ = scale * weighted_ + (scale > 0 ? scale * sum_ * drop : 0.0);
        sum_ *= scale;
      }
      top_ = largest;
      top_token_ = static_cast<int32_t>(first + index);
    } else if (largest > second_) {
      second_ = largest;
    }
  }

  void accumulate(std::span<const float> block, const Moments& moments) {
    const float top = top_;
    const float mean = moments.mean;
    float sum = 0;
    float weighted = 0;
    float deviations = 0;  // not quite zero: the mean is rounded
    float squares = 0;
#pragma omp simd reduction(+ : sum, weighted, deviations, squares)
    for (size_t i = 0; i < block.size(); ++i) {
      const float logit = block[i];
      const float below = logit - top;
      // A masked token weighs nothing: its distance must not become infinity times zero.
      const float distance = below < kExpFloor ? kExpFloor : below;
      const float weight = fast_exp(distance);
      sum += weight;
      weighted += weight * distance;
      const float deviation = logit >= -FLT_MAX ? logit - mean : 0.0f;
      deviations += deviation;
      squares += deviation * deviation;
    }
    sum_ += sum;
    weighted_ += weighted;
    join_variance(moments, deviations, squares);
  }

  void join_variance(const Moments& moments, double deviations, double squares) {
    if (moments.finite == 0) return;
    const double added = moments.finite;
    const double total = count_ + added;
    const double correction = deviations / added;
    const double delta = double(moments.mean) + correction - mean_;
    squares_ += squares - deviations * correction + delta * delta * count_ * added / total;
    mean_ += delta * added / total;
    count_ = total;
  }

  float top_ = kMinusInfinity;
  float second_ = kMinusInfinity;
  int32_t top_token_ = -1;
  double sum_ = 0;       // Σ e^d with d = logit − top_
  double weighted_ = 0;  // Σ d·e^d
  double count_ = 0;
  double mean_ = 0;
  double squares_ = 0;  // Σ (logit − mean_)²
};

}  // namespace

TokenStatistics LogitScan::choosing(float logit) const {
  TokenStatistics chosen = statistics;
  const double logprob = double(logit) - double(top_logit) - log_sum;
  chosen.logprob = static_cast<float>(std::min(logprob, 0.0));
  return chosen;
}

LogitScan scan_logits(std::span<const float> logits) {
  Scanner scanner;
  for (size_t first = 0; first < logits.size(); first += kBlock) {
    scanner.add(logits.subspan(first, std::min(kBlock, logits.size() - first)), first);
  }
  return scanner.finish(logits.size());
}

TokenStatistics token_statistics(std::span<const float> logits, int32_t chosen) {
  assert(chosen >= 0 && static_cast<size_t>(chosen) < logits.size());
  return scan_logits(logits).choosing(logits[static_cast<size_t>(chosen)]);
}

}  // namespace tinyarms::engine
