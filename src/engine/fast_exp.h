// e^x for x ≤ 0 in single precision, written so that a loop over it becomes vector code.
#pragma once

#include <bit>
#include <cstdint>

namespace tinyarms::engine {

// Below this the result is a constant of the order of 1e-38: nothing beside a sum that holds a 1.
inline constexpr float kExpFloor = -87.0f;

// Relative error below 2e-7 on [kExpFloor, 0]. Method: x = n·ln 2 + r with |r| ≤ ln 2 / 2; e^r by
// a polynomial of degree six (the coefficients of Moshier's Cephes, expf); 2^n by the exponent's
// bits. ln 2 is split in two so that n·ln 2 is exact. NaN stays NaN.
inline float fast_exp(float x) {
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440e-4f;
  // Adding 1.5·2^23 rounds to the nearest integer and leaves it in the low bits of the sum.
  constexpr float kRounder = 12582912.0f;

  x = x < kExpFloor ? kExpFloor : x;
  const float shifted = x * kLog2E + kRounder;
  const float n = shifted - kRounder;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float tail = 1.9875691500e-4f;
  tail = tail * r + 1.3981999507e-3f;
  tail = tail * r + 8.3334519073e-3f;
  tail = tail * r + 4.1665795894e-2f;
  tail = tail * r + 1.6666665459e-1f;
  tail = tail * r + 5.0000001201e-1f;
  const float significand = (tail * r * r + r) + 1.0f;
  const uint32_t exponent = std::bit_cast<uint32_t>(shifted) << 23;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(significand) + exponent);
}

}  // namespace tinyarms::engine
