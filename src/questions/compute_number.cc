// Numbers: expressions, units, bases, bits, Roman numerals, divisors, lists.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/ascii.h"
#include "questions/arithmetic.h"
#include "questions/computation.h"
#include "questions/number_base.h"
#include "questions/roman.h"
#include "questions/scan.h"

namespace tinyarms::questions {
namespace {

constexpr int64_t kFactorMax = 1'000'000'000;  // 31 623 trial divisions at most

std::optional<Variables> arithmetic(const ComputationInput& input) {
  const auto result = evaluate_arithmetic(input.get("expression"));
  if (!result) return std::nullopt;
  return Variables{{"expression", result->expression},
                   {"relation", result->relation},
                   {"result", result->value}};
}

std::optional<Variables> convert_units(const ComputationInput& input) {
  const std::string value = input.get("value");
  const std::string from = input.get("from");
  const std::string to = input.get("to");
  const auto conversion = input.units.table().convert({value, from, to});
  if (!conversion) return std::nullopt;
  return Variables{{"value", conversion->value},
                   {"relation", conversion->relation},
                   {"result", conversion->result}};
}

std::optional<Variables> convert_number_base(const ComputationInput& input) {
  const std::string value = input.get("value");
  const std::string from = input.get("from");
  const int to = find_base(input.get("to"));
  const auto answer = convert_base({value, from.empty() ? 0 : find_base(from), to});
  if (to == 0 || !answer || answer->from == to) return std::nullopt;
  return Variables{{"value", answer->value},
                   {"result", answer->result},
                   {"from", std::string(base_name(answer->from))},
                   {"to", std::string(base_name(to))}};
}

// "0xff", "0b1010", "42": what bits are asked of.
std::optional<uint64_t> read_bits(std::string_view text) {
  const std::string prefix = lowered(text.substr(0, 2));
  const int base = prefix == "0x" ? 16 : prefix == "0b" ? 2 : prefix == "0o" ? 8 : 10;
  const std::string digits = lowered(base == 10 ? text : text.substr(2));
  const std::string_view known = std::string_view("0123456789abcdef").substr(
      0, static_cast<size_t>(base));
  if (digits.empty() || digits.find_first_not_of(known) != digits.npos) return std::nullopt;
  if (base == 10 && digits.size() > 1 && digits[0] == '0') return std::nullopt;
  uint64_t value = 0;
  for (const char c : digits) {
    value = value * static_cast<uint64_t>(base) + known.find(c);
    if (value > 0xffff'ffffu) return std::nullopt;
  }
  return value;
}

// Shown as it was asked: decimal for decimals, else hexadecimal with the decimal value.
std::string show_bits(uint64_t value, bool decimal) {
  return decimal ? std::to_string(value) : fmt::format("0x{:x} ({})", value, value);
}

std::optional<Variables> bitwise(const ComputationInput& input) {
  const auto a = read_bits(input.get("a"));
  const auto b = read_bits(input.get("b"));
  if (!a || !b) return std::nullopt;
  const std::string name = lowered(input.get("operator"));
  const char symbol = name == "bitwise and" || name == "and" ? '&'
                      : name == "bitwise or" || name == "or" ? '|'
                      : name == "bitwise xor" || name == "xor" || name == "^" ? '^'
                                                                              : name[0];
  const bool shift = symbol == '<' || symbol == '>';
  if (shift && *b > 31) return std::nullopt;
  uint64_t value = 0;
  switch (symbol) {
    case '&': value = *a & *b; break;
    case '|': value = *a | *b; break;
    case '^': value = *a ^ *b; break;
    case '<': value = *a << *b; break;
    case '>': value = *a >> *b; break;
    default: return std::nullopt;
  }
  const auto is_decimal = [](const std::string& text) {
    return text.find_first_not_of("0123456789") == text.npos;
  };
  const bool decimal = is_decimal(input.get("a")) && is_decimal(input.get("b"));
  const std::string shown = symbol == '^' ? "XOR" : shift ? std::string(2, symbol)
                                                          : std::string(1, symbol);
  return Variables{
      {"expression", fmt::format("{} {} {}", input.get("a"), shown, input.get("b"))},
      {"result", show_bits(value, decimal)}};
}

std::optional<Variables> count_ones(const ComputationInput& input) {
  const auto value = read_bits(input.get("value"));
  if (!value) return std::nullopt;
  int ones = 0;
  for (uint64_t rest = *value; rest != 0; rest &= rest - 1) ++ones;
  return Variables{{"value", input.get("value")}, {"ones", std::to_string(ones)}};
}

std::optional<Variables> twos_complement(const ComputationInput& input) {
  const auto value = scan_signed(input.get("value"), int64_t{1} << 31);
  const auto bits = scan_number(input.get("bits"), 32);
  if (!value || (*bits != 8 && *bits != 16 && *bits != 32)) return std::nullopt;
  const int64_t half = int64_t{1} << (*bits - 1);
  if (*value < -half || *value >= half) return std::nullopt;
  const uint64_t pattern = static_cast<uint64_t>(*value) & ((uint64_t{1} << *bits) - 1);
  return Variables{
      {"value", std::to_string(*value)},
      {"bits", std::to_string(*bits)},
      {"binary", fmt::format("{:0{}b}", pattern, *bits)},
      {"hex", fmt::format("0x{:0{}x}", pattern, *bits / 4)}};
}

std::optional<Variables> to_roman(const ComputationInput& input) {
  const auto value = scan_number(input.get("value"), 3999);
  if (!value || *value == 0) return std::nullopt;
  return Variables{{"value", std::to_string(*value)},
                   {"roman", roman_of(static_cast<int>(*value))}};
}

std::optional<Variables> from_roman(const ComputationInput& input) {
  const auto value = read_roman(input.get("roman"));
  if (!value) return std::nullopt;
  return Variables{{"roman", roman_of(*value)}, {"value", std::to_string(*value)}};
}

// Python rounds a quotient down, and its remainder has the divisor's sign.
std::optional<Variables> python_division(const ComputationInput& input) {
  const auto a = scan_signed(input.get("a"), 1'000'000'000);
  const auto b = scan_signed(input.get("b"), 1'000'000'000);
  if (!a || !b || *b == 0) return std::nullopt;
  int64_t quotient = *a / *b;
  int64_t remainder = *a % *b;
  if (remainder != 0 && (remainder < 0) != (*b < 0)) {
    --quotient;
    remainder += *b;
  }
  return Variables{{"quotient", std::to_string(quotient)},
                   {"remainder", std::to_string(remainder)}};
}

// "int32", "uint8_t", "u64", "unsigned 16-bit integer".
std::optional<Variables> integer_range(const ComputationInput& input) {
  const std::string type = lowered(input.get("type"));
  const size_t digit = type.find_first_of("0123456789");
  if (digit == type.npos) return std::nullopt;
  const int bits = std::stoi(type.substr(digit, 2));
  if (bits != 8 && bits != 16 && bits != 32 && bits != 64) return std::nullopt;
  const Integer one = 1;
  const Integer least = type[0] == 'u' ? Integer{0} : -(one << (bits - 1));
  const Integer most = type[0] == 'u' ? (one << bits) - 1 : (one << (bits - 1)) - 1;
  return Variables{{"least", to_string(least)}, {"most", to_string(most)}};
}

std::vector<int64_t> prime_factors(int64_t value) {
  std::vector<int64_t> factors;
  for (int64_t divisor = 2; divisor * divisor <= value; ++divisor) {
    for (; value % divisor == 0; value /= divisor) factors.push_back(divisor);
  }
  if (value > 1) factors.push_back(value);
  return factors;
}

std::optional<Variables> prime(const ComputationInput& input) {
  const auto value = scan_number(input.get("value"), kFactorMax);
  if (!value) return std::nullopt;
  const auto factors = prime_factors(*value);
  const std::string verdict =
      *value < 2            ? fmt::format("No: {} is not prime (primes begin at 2)", *value)
      : factors.size() == 1 ? fmt::format("Yes: {} is prime", *value)
                            : fmt::format("No: {} = {}", *value, fmt::join(factors, " × "));
  return Variables{{"verdict", verdict}};
}

std::optional<Variables> factorise(const ComputationInput& input) {
  const auto value = scan_number(input.get("value"), kFactorMax);
  if (!value || *value < 2) return std::nullopt;
  const auto factors = prime_factors(*value);
  return Variables{{"value", std::to_string(*value)},
                   {"factors", factors.size() == 1
                                   ? fmt::format("{} (it is prime)", *value)
                                   : fmt::format("{}", fmt::join(factors, " × "))}};
}

std::optional<Variables> common_divisor(const ComputationInput& input) {
  const auto a = scan_number(input.get("a"), 1'000'000'000);
  const auto b = scan_number(input.get("b"), 1'000'000'000);
  if (!a || !b || *a == 0 || *b == 0) return std::nullopt;
  return Variables{{"gcd", std::to_string(std::gcd(*a, *b))},
                   {"lcm", std::to_string(std::lcm(*a, *b))}};
}

// n choose k, exactly: every partial product is divisible.
std::optional<Variables> choose(const ComputationInput& input) {
  const auto n = scan_number(input.get("n"), 60);
  const auto k = scan_number(input.get("k"), 60);
  if (!n || !k || *k > *n) return std::nullopt;
  int64_t result = 1;
  for (int64_t i = 1; i <= *k; ++i) {
    const auto wide = static_cast<Integer>(result) * (*n - *k + i) / i;
    result = static_cast<int64_t>(wide);
  }
  return Variables{{"result", std::to_string(result)}};
}

std::string show(const Rational& value) {
  const FormattedNumber number = format_number(value);
  return (number.exact ? "" : "≈ ") + number.text;
}

// "30 of 120" → 25 %; "from 50 to 75" → + 50 %.
std::optional<Variables> percentage(const ComputationInput& input) {
  const auto part = Rational::parse(input.get("part"));
  const auto whole = Rational::parse(input.get("whole"));
  if (!part || !whole || whole->is_zero() || whole->is_negative()) return std::nullopt;
  const auto ratio = divide(*part, *whole);
  const auto percent = ratio ? multiply(*ratio, Rational(100)) : std::nullopt;
  if (!percent) return std::nullopt;
  const auto change = subtract(*percent, Rational(100));
  if (!change) return std::nullopt;
  return Variables{{"percent", show(*percent)}, {"change", show(*change)}};
}

std::optional<Variables> list_figures(const ComputationInput& input) {
  std::vector<Rational> values;
  std::vector<std::string> texts;
  std::string list = input.get("list");
  for (size_t at = list.find(" and "); at != list.npos; at = list.find(" and ")) {
    list.replace(at, 5, ",");
  }
  for (const std::string_view piece : split(list, ',')) {
    const std::string_view text = trimmed(piece, " ");
    if (text.empty() && !values.empty()) continue;  // "1, 2, and 3"
    const auto value = Rational::parse(text);
    if (!value || text.find('/') != text.npos) return std::nullopt;
    values.push_back(*value);
    texts.emplace_back(text);
  }
  if (values.size() < 2) return std::nullopt;
  std::optional<Rational> sum = Rational(0);
  for (const Rational& value : values) sum = sum ? add(*sum, value) : sum;
  const auto mean = sum ? divide(*sum, Rational(static_cast<int64_t>(values.size())))
                        : std::nullopt;
  if (!mean) return std::nullopt;
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const auto difference = subtract(values[a], values[b]);
    return difference && difference->is_negative();
  });
  std::vector<std::string> sorted;
  for (const size_t i : order) sorted.push_back(texts[i]);
  const Rational& low = values[order[(order.size() - 1) / 2]];
  const Rational& high = values[order[order.size() / 2]];
  const auto both = add(low, high);
  const auto median = both ? divide(*both, Rational(2)) : std::nullopt;
  if (!median) return std::nullopt;
  return Variables{{"sum", show(*sum)},
                   {"mean", show(*mean)},
                   {"median", show(*median)},
                   {"sorted", fmt::format("{}", fmt::join(sorted, ", "))},
                   {"least", sorted.front()},
                   {"greatest", sorted.back()}};
}

}  // namespace

const std::vector<Computation>& number_computations() {
  static const std::vector<Computation> kComputations = {
      {"arithmetic", false, {"expression"}, {"relation", "result"}, arithmetic},
      {"convert-units", false, {"from", "to"}, {"value", "relation", "result"}, convert_units},
      {"convert-base", false, {"value", "to"}, {"from", "result"}, convert_number_base},
      {"bitwise", false, {"a", "operator", "b"}, {"expression", "result"}, bitwise},
      {"count-ones", false, {"value"}, {"ones"}, count_ones},
      {"twos-complement", false, {"value", "bits"}, {"binary", "hex"}, twos_complement},
      {"to-roman", false, {"value"}, {"roman"}, to_roman},
      {"from-roman", false, {"roman"}, {"value"}, from_roman},
      {"python-division", false, {"a", "b"}, {"quotient", "remainder"}, python_division},
      {"integer-range", false, {"type"}, {"least", "most"}, integer_range},
      {"prime", false, {"value"}, {"verdict"}, prime},
      {"factorise", false, {"value"}, {"factors"}, factorise},
      {"common-divisor", false, {"a", "b"}, {"gcd", "lcm"}, common_divisor},
      {"choose", false, {"n", "k"}, {"result"}, choose},
      {"percentage", false, {"part", "whole"}, {"percent", "change"}, percentage},
      {"list-figures", false, {"list"},
       {"sum", "mean", "median", "sorted", "least", "greatest"}, list_figures},
  };
  return kComputations;
}

}  // namespace tinyarms::questions
