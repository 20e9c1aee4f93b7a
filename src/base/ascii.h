// Characters and blanks of ASCII, whatever the locale says: what code, rules and protocols mean by
// them. Bytes of other characters are left as they are.
#pragma once

#include <string>
#include <string_view>

namespace tinyarms {

inline constexpr std::string_view kAsciiBlanks = " \t\r\n";

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_ascii_letter(char c) { return is_lower(c) || is_upper(c); }
constexpr char lower_case(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower_case(c);
  return result;
}

// The text without `blanks` at both ends.
constexpr std::string_view trimmed(std::string_view text, std::string_view blanks = kAsciiBlanks) {
  const size_t start = text.find_first_not_of(blanks);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(blanks) - start + 1);
}

}  // namespace tinyarms
