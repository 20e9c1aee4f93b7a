#include "questions/rational.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tinyarms::questions {
namespace {

constexpr int kPlacesMax = 30;

Integer greatest_common_divisor(Integer a, Integer b) {
  while (b != 0) {
    const Integer rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

std::optional<Integer> checked_multiply(Integer a, Integer b) {
  Integer product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

std::optional<Integer> integer_root(Integer value) {
  if (value < 0) return std::nullopt;
  auto root = static_cast<Integer>(std::sqrt(static_cast<long double>(value)));
  // The floating root may be off by a little at this width.
  for (Integer guess = std::max<Integer>(0, root - 2); guess <= root + 2; ++guess) {
    if (checked_multiply(guess, guess) == value) return guess;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Rational> Rational::make(Integer numerator, Integer denominator) {
  // The most negative integer has no opposite.
  constexpr Integer kLowest = static_cast<Integer>(1) << 126;
  if (denominator == 0 || numerator < -kLowest || denominator < -kLowest) return std::nullopt;
  if (denominator < 0) {
    numerator = -numerator;
    denominator = -denominator;
  }
  const Integer common = greatest_common_divisor(numerator, denominator);
  Rational result;
  result.numerator_ = numerator / common;
  result.denominator_ = denominator / common;
  return result;
}

std::optional<Rational> Rational::parse(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto over = parse(text.substr(0, slash));
    const auto under = parse(text.substr(slash + 1));
    if (!over || !under) return std::nullopt;
    return divide(*over, *under);
  }
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  Integer numerator = 0;
  Integer denominator = 1;
  bool point = false;
  bool digits = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    digits = true;
    const auto shifted = checked_multiply(numerator, 10);
    if (!shifted || __builtin_add_overflow(*shifted, c - '0', &numerator)) return std::nullopt;
    if (!point) continue;
    const auto places = checked_multiply(denominator, 10);
    if (!places) return std::nullopt;
    denominator = *places;
  }
  if (!digits || text.back() == '.') return std::nullopt;
  return make(negative ? -numerator : numerator, denominator);
}

long double Rational::approximate() const {
  return static_cast<long double>(numerator_) / static_cast<long double>(denominator_);
}

std::optional<std::string> Rational::exact_decimal() const {
  Integer scaled = numerator_ < 0 ? -numerator_ : numerator_;
  std::string text = to_string(scaled / denominator_);
  Integer rest = scaled % denominator_;
  if (rest != 0) text += '.';
  for (int place = 0; rest != 0; ++place) {
    const auto shifted = checked_multiply(rest, 10);
    if (!shifted || place == kPlacesMax) return std::nullopt;
    text += static_cast<char>('0' + static_cast<int>(*shifted / denominator_));
    rest = *shifted % denominator_;
  }
  return numerator_ < 0 ? "-" + text : text;
}

std::optional<Rational> add(const Rational& a, const Rational& b) {
  const auto left = checked_multiply(a.numerator(), b.denominator());
  const auto right = checked_multiply(b.numerator(), a.denominator());
  const auto under = checked_multiply(a.denominator(), b.denominator());
  Integer sum = 0;
  if (!left || !right || !under || __builtin_add_overflow(*left, *right, &sum)) return std::nullopt;
  return Rational::make(sum, *under);
}

std::optional<Rational> subtract(const Rational& a, const Rational& b) {
  const auto minus = multiply(b, -1);
  if (!minus) return std::nullopt;
  return add(a, *minus);
}

std::optional<Rational> multiply(const Rational& a, const Rational& b) {
  // Cancelling across first keeps the products as small as the result allows.
  const auto left = Rational::make(a.numerator(), b.denominator());
  const auto right = Rational::make(b.numerator(), a.denominator());
  if (!left || !right) return std::nullopt;
  const auto over = checked_multiply(left->numerator(), right->numerator());
  const auto under = checked_multiply(left->denominator(), right->denominator());
  if (!over || !under) return std::nullopt;
  return Rational::make(*over, *under);
}

std::optional<Rational> divide(const Rational& a, const Rational& b) {
  const auto inverse = Rational::make(b.denominator(), b.numerator());
  if (!inverse) return std::nullopt;
  return multiply(a, *inverse);
}

std::optional<Rational> power(const Rational& base, int64_t exponent) {
  constexpr int64_t kExponentMax = 1024;
  if (exponent < -kExponentMax || exponent > kExponentMax) return std::nullopt;
  if (exponent < 0 && base.is_zero()) return std::nullopt;
  std::optional<Rational> result = Rational(1);
  for (int64_t i = 0; i < std::abs(exponent) && result; ++i) {
    result = exponent < 0 ? divide(*result, base) : multiply(*result, base);
  }
  return result;
}

std::optional<Rational> square_root(const Rational& value) {
  const auto over = integer_root(value.numerator());
  const auto under = integer_root(value.denominator());
  if (!over || !under) return std::nullopt;
  return Rational::make(*over, *under);
}

std::string to_string(Integer value, int base) {
  if (value == 0) return "0";
  const bool negative = value < 0;
  std::string text;
  while (value != 0) {
    const int digit = static_cast<int>(value % base);
    text += "0123456789abcdef"[digit < 0 ? -digit : digit];
    value /= base;
  }
  if (negative) text += '-';
  std::reverse(text.begin(), text.end());
  return text;
}

FormattedNumber format_number(const Rational& value) {
  if (auto exact = value.exact_decimal()) return {std::move(*exact), true};
  return {format_approximation(value.approximate()), false};
}

std::string format_approximation(long double value) { return fmt::format("{:.12g}", value); }

}  // namespace tinyarms::questions
