#include "rules/json_token.h"

#include <cstddef>

#include "base/ascii.h"

namespace tinyarms::rules {
namespace {

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Skips digits; false where there is none.
bool skip_digits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  text.remove_prefix(count);
  return count > 0;
}

}  // namespace

bool is_json_number(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  if (text.size() > 1 && text[0] == '0' && is_digit(text[1])) return false;
  if (!skip_digits(text)) return false;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    if (!skip_digits(text)) return false;
  }
  if (!text.empty() && (text.front() == 'e' || text.front() == 'E')) {
    text.remove_prefix(1);
    if (!text.empty() && (text.front() == '+' || text.front() == '-')) text.remove_prefix(1);
    if (!skip_digits(text)) return false;
  }
  return text.empty();
}

bool is_json_string(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  text = text.substr(1, text.size() - 2);
  for (size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x20 || c == '"') return false;
    if (c != '\\') continue;
    if (++at == text.size()) return false;
    if (text[at] == 'u') {
      for (int digit = 0; digit < 4; ++digit) {
        if (++at == text.size() || !is_hex(text[at])) return false;
      }
    } else if (std::string_view("\"\\/bfnrt").find(text[at]) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

}  // namespace tinyarms::rules
