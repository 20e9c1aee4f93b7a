// Seeded pseudo-random numbers that are the same on every machine and compiler (std::shuffle and
// the standard distributions are not): xoshiro256++ (Blackman & Vigna 2019), seeded by SplitMix64.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tinyarms::calibration {

// SplitMix64's finaliser: a good 64-bit mixer.
inline uint64_t mix64(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

class Random {
 public:
  explicit Random(uint64_t seed) {
    for (uint64_t& word : state_) word = mix64(seed += 0x9E3779B97F4A7C15ULL);
  }

  uint64_t next() {
    const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // [0, 1), 53 random bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  // [0, n), n > 0, without bias: what the last, incomplete round would favour is drawn again.
  uint64_t below(uint64_t n) {
    const uint64_t rest = (0 - n) % n;  // 2^64 mod n
    uint64_t value = next();
    while (value < rest) value = next();
    return value % n;
  }

  template <typename T>
  void shuffle(std::vector<T>& values) {
    for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  std::array<uint64_t, 4> state_{};
};

}  // namespace tinyarms::calibration
