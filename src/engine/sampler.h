// Draws a token from logits: the most likely one at temperature 0, else by softmax(logit / T).
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "engine/token_statistics.h"

namespace tinyarms::engine {

// The same seed, logits and temperature draw the same tokens on every platform with the same
// floating point: mt19937_64 is specified to the bit, and its bits become a number here, not in
// std::uniform_real_distribution, which is not.
class Sampler {
 public:
  Sampler(double temperature, uint32_t seed) : temperature_(temperature), random_(seed) {}

  // `scan` is that of the same logits. Never draws a masked (−infinity) token.
  int32_t draw(std::span<const float> logits, const LogitScan& scan);

 private:
  double temperature_;
  std::mt19937_64 random_;
  std::vector<double> block_sums_;  // kept between calls: no allocation a token
};

}  // namespace tinyarms::engine
