// Exact fractions of 128-bit integers. Whatever would overflow is nothing, never a wrong number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tinyarms::questions {

__extension__ typedef __int128 Integer;

class Rational {
 public:
  Rational(int64_t value = 0) : numerator_(value) {}  // NOLINT: implicit
  // Nothing for a zero denominator.
  static std::optional<Rational> make(Integer numerator, Integer denominator);
  // "12", "-0.50", "2.54": decimal digits with at most one point, read exactly; also "5/9".
  static std::optional<Rational> parse(std::string_view text);

  Integer numerator() const { return numerator_; }
  Integer denominator() const { return denominator_; }  // > 0, lowest terms
  bool is_integer() const { return denominator_ == 1; }
  bool is_zero() const { return numerator_ == 0; }
  bool is_negative() const { return numerator_ < 0; }
  long double approximate() const;

  // The decimal expansion where it ends within 30 places, else nothing.
  std::optional<std::string> exact_decimal() const;

  friend bool operator==(const Rational&, const Rational&) = default;

 private:
  Integer numerator_ = 0;
  Integer denominator_ = 1;
};

std::optional<Rational> add(const Rational& a, const Rational& b);
std::optional<Rational> subtract(const Rational& a, const Rational& b);
std::optional<Rational> multiply(const Rational& a, const Rational& b);
std::optional<Rational> divide(const Rational& a, const Rational& b);  // nothing for b = 0
std::optional<Rational> power(const Rational& base, int64_t exponent);
std::optional<Rational> square_root(const Rational& value);  // only where it is rational

std::string to_string(Integer value, int base = 10);

// "414", "0.125", or "≈" and twelve significant digits are the caller's to join: `exact` says.
struct FormattedNumber {
  std::string text;
  bool exact = true;
};
FormattedNumber format_number(const Rational& value);
std::string format_approximation(long double value);  // twelve significant digits

}  // namespace tinyarms::questions
