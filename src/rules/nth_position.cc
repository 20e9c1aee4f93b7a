#include "rules/nth_position.h"

#include <string>

namespace tinyarms::rules {
namespace {

constexpr int32_t kNumberMax = 100'000'000;

// Digits off the front; nothing where there is none or they are too many.
std::optional<int32_t> take_number(std::string_view& text) {
  size_t digits = 0;
  int64_t value = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    value = value * 10 + (text[digits++] - '0');
    if (value > kNumberMax) return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return static_cast<int32_t>(value);
}

int32_t take_sign(std::string_view& text) {
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return 1;
  const int32_t sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  return sign;
}

}  // namespace

std::optional<NthPosition> read_nth_position(std::string_view source) {
  std::string compact;
  for (const char c : source) {
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') compact += c;
  }
  std::string_view text = compact;
  const int32_t sign = take_sign(text);
  const bool starts_with_digit = !text.empty() && text.front() >= '0' && text.front() <= '9';
  const std::optional<int32_t> number = take_number(text);
  if (starts_with_digit && !number) return std::nullopt;
  NthPosition position;
  if (text.empty()) {
    if (!number) return std::nullopt;
    position.offset = sign * *number;
    return position;
  }
  if (text.front() != 'n' && text.front() != 'N') return std::nullopt;
  text.remove_prefix(1);
  position.step = sign * number.value_or(1);
  if (text.empty()) return position;
  if (text.front() != '+' && text.front() != '-') return std::nullopt;
  const int32_t offset_sign = take_sign(text);
  const std::optional<int32_t> offset = take_number(text);
  if (!offset || !text.empty()) return std::nullopt;
  position.offset = offset_sign * *offset;
  return position;
}

}  // namespace tinyarms::rules
