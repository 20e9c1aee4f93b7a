// Exact fractions of 64-bit numbers, for comparing what is written as decimals and as fractions.
// An operation whose result does not fit gives nothing; the caller then falls back to doubles.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <string_view>

namespace tinyarms::eval {

struct Rational {
  int64_t numerator = 0;
  int64_t denominator = 1;  // positive; in lowest terms

  bool operator==(const Rational&) const = default;
  double value() const {
    return static_cast<double>(numerator) / static_cast<double>(denominator);
  }
  bool is_integer() const { return denominator == 1; }
};

inline std::optional<Rational> make_rational(int64_t numerator, int64_t denominator) {
  if (denominator == 0 || numerator == INT64_MIN || denominator == INT64_MIN) return {};
  if (denominator < 0) {
    numerator = -numerator;
    denominator = -denominator;
  }
  const int64_t divisor = std::gcd(numerator, denominator);
  return Rational{numerator / divisor, denominator / divisor};
}

inline std::optional<Rational> multiply(const Rational& a, const Rational& b) {
  // Crosswise first, so that only results that really do not fit are given up.
  const auto left = make_rational(a.numerator, b.denominator);
  const auto right = make_rational(b.numerator, a.denominator);
  int64_t numerator = 0;
  int64_t denominator = 0;
  if (!left || !right ||
      __builtin_mul_overflow(left->numerator, right->numerator, &numerator) ||
      __builtin_mul_overflow(left->denominator, right->denominator, &denominator)) {
    return {};
  }
  return make_rational(numerator, denominator);
}

inline std::optional<Rational> divide(const Rational& a, const Rational& b) {
  if (b.numerator == 0) return {};
  const auto inverse = make_rational(b.denominator, b.numerator);
  return inverse ? multiply(a, *inverse) : std::nullopt;
}

inline std::optional<Rational> add(const Rational& a, const Rational& b) {
  int64_t left = 0;
  int64_t right = 0;
  int64_t sum = 0;
  int64_t denominator = 0;
  if (__builtin_mul_overflow(a.numerator, b.denominator, &left) ||
      __builtin_mul_overflow(b.numerator, a.denominator, &right) ||
      __builtin_add_overflow(left, right, &sum) ||
      __builtin_mul_overflow(a.denominator, b.denominator, &denominator)) {
    return {};
  }
  return make_rational(sum, denominator);
}

inline Rational negate(const Rational& a) { return {-a.numerator, a.denominator}; }

// "12", "12.50", ".5": digits with at most one point, no sign. Nothing else is a number.
inline std::optional<Rational> parse_decimal(std::string_view text) {
  int64_t numerator = 0;
  int64_t denominator = 1;
  bool point = false;
  bool digits = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') return {};
    digits = true;
    if (__builtin_mul_overflow(numerator, 10, &numerator) ||
        __builtin_add_overflow(numerator, c - '0', &numerator) ||
        (point && __builtin_mul_overflow(denominator, 10, &denominator))) {
      return {};
    }
  }
  return digits ? make_rational(numerator, denominator) : std::nullopt;
}

}  // namespace tinyarms::eval
