#include "encoder/relative_bias.h"

#include <algorithm>
#include <cmath>

#include "encoder/kernels.h"

namespace tinyarms::encoder {

bool RelativeBias::plausible(uint64_t buckets, uint64_t farthest) {
  return buckets >= 4 && buckets <= 1024 && buckets % 4 == 0 && farthest > buckets / 4 &&
         farthest <= 65536;
}

// In single precision, as the published code has it: a power of two lies on a bucket's edge.
size_t relative_bucket(int64_t distance, const RelativeShape& shape) {
  const size_t half = shape.buckets / 2;
  const size_t exact = half / 2;
  const size_t first = distance > 0 ? half : 0;
  const auto apart = static_cast<size_t>(std::abs(distance));
  if (apart < exact) return first + apart;
  const auto near = static_cast<float>(exact);
  const float part = std::log(static_cast<float>(apart) / near) /
                     std::log(static_cast<float>(shape.farthest) / near) *
                     static_cast<float>(half - exact);
  return first + std::min(half - 1, exact + static_cast<size_t>(part));
}

RelativeBias::RelativeBias(std::span<const float> table, const RelativeShape& shape)
    : stride_(2 * shape.tokens + kKeyPadding), tokens_(shape.tokens) {
  by_distance_.resize(shape.heads * stride_);
  for (size_t i = 0; i + 1 < 2 * tokens_; ++i) {
    const auto distance = static_cast<int64_t>(i) - static_cast<int64_t>(tokens_ - 1);
    const size_t bucket = relative_bucket(distance, shape);
    for (size_t head = 0; head < shape.heads; ++head) {
      by_distance_[head * stride_ + i] = table[bucket * shape.heads + head];
    }
  }
}

}  // namespace tinyarms::encoder
