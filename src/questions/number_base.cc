#include "questions/number_base.h"

#include <algorithm>

#include "base/ascii.h"
#include "questions/rational.h"

namespace tinyarms::questions {
namespace {

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

std::string_view prefix_of(int base) {
  return base == 2 ? "0b" : base == 8 ? "0o" : base == 16 ? "0x" : "";
}

std::optional<Integer> read_digits(std::string_view digits, int base) {
  constexpr Integer kMax = static_cast<Integer>(1) << 126;
  Integer value = 0;
  for (const char c : digits) {
    const int digit = digit_value(c);
    if (digit >= base || value > (kMax - digit) / base) return std::nullopt;
    value = value * base + digit;
  }
  return value;
}

}  // namespace

int find_base(std::string_view name) {
  const std::string text = lowered(name);
  const auto is = [&](auto... names) { return ((text == names) || ...); };
  if (is("binary", "bin", "base 2", "base-2", "base2")) return 2;
  if (is("octal", "oct", "base 8", "base-8", "base8")) return 8;
  if (is("decimal", "dec", "base 10", "base-10", "base10", "denary")) return 10;
  if (is("hexadecimal", "hex", "base 16", "base-16", "base16")) return 16;
  return 0;
}

std::string_view base_name(int base) {
  return base == 2 ? "binary" : base == 8 ? "octal" : base == 16 ? "hexadecimal" : "decimal";
}

std::optional<BaseAnswer> convert_base(const BaseQuestion& question) {
  const std::string value = lowered(question.value);
  std::string_view digits = value;
  int base = question.from;
  for (const int candidate : {2, 8, 16}) {
    const std::string_view prefix = prefix_of(candidate);
    // 0b1 said to be hexadecimal is a number of its own.
    if (digits.substr(0, 2) != prefix || (base != 0 && base != candidate)) continue;
    if (base == 16 && candidate != 16) continue;
    base = candidate;
    digits.remove_prefix(2);
    break;
  }
  if (digits.empty()) return std::nullopt;
  if (base == 0) {
    // Plain digits are decimal wherever something else is wanted; "1010 in decimal" says nothing
    // of what 1010 is.
    if (question.to == 10) return std::nullopt;
    if (digits.size() > 1 && digits[0] == '0') return std::nullopt;
    base = 10;
  }
  const std::optional<Integer> number = read_digits(digits, base);
  if (!number) return std::nullopt;
  BaseAnswer answer;
  answer.from = base;
  answer.value = std::string(prefix_of(base)) + std::string(digits);
  answer.result = std::string(prefix_of(question.to)) + to_string(*number, question.to);
  return answer;
}

}  // namespace tinyarms::questions
