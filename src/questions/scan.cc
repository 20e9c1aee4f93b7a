#include "questions/scan.h"

namespace tinyarms::questions {

std::optional<int64_t> scan_number(std::string_view text, int64_t max) {
  if (text.empty() || text.size() > 18) return std::nullopt;
  int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value <= max ? std::optional<int64_t>(value) : std::nullopt;
}

std::optional<int64_t> scan_signed(std::string_view text, int64_t max) {
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const auto value = scan_number(text, max);
  if (!value) return std::nullopt;
  return negative ? -*value : *value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const size_t at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == text.npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

}  // namespace tinyarms::questions
