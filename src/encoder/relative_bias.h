// What attention adds to the score of two tokens for how far they are apart, a head each. Distances
// fall into buckets: near ones have their own, farther ones share by the logarithm, half of the
// buckets look ahead. Method: T5 (Raffel et al. 2020) as MPNet (Song et al. 2020) uses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tinyarms::encoder {

struct RelativeShape {
  size_t buckets = 0;
  size_t heads = 0;
  size_t farthest = 0;  // from this distance on all fall into the last bucket
  size_t tokens = 0;    // of the longest text
};

class RelativeBias {
 public:
  // Buckets that halve twice, and a distance beyond those with a bucket of their own.
  static bool plausible(uint64_t buckets, uint64_t farthest);

  RelativeBias() = default;  // none
  // `table`: buckets × heads; a plausible shape.
  RelativeBias(std::span<const float> table, const RelativeShape& shape);

  // Of the token at `position` towards the first token and those after it, and kKeyPadding floats;
  // the next token's begins one float before. Null where there is none.
  const float* row(size_t head, size_t position) const {
    if (by_distance_.empty()) return nullptr;
    return by_distance_.data() + head * stride_ + tokens_ - 1 - position;
  }

 private:
  std::vector<float> by_distance_;  // heads × stride_: how far the other is behind, …, ahead
  size_t stride_ = 0;
  size_t tokens_ = 0;
};

// `distance`: where the other token is, less where this one is.
size_t relative_bucket(int64_t distance, const RelativeShape& shape);

}  // namespace tinyarms::encoder
