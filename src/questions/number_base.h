// Whole numbers from one base to another: 2, 8, 10 and 16.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tinyarms::questions {

// "hex", "base 16", "hexadecimal" → 16; 0 for a name that is not known.
int find_base(std::string_view name);
std::string_view base_name(int base);

struct BaseQuestion {
  std::string_view value;  // digits, with or without 0x, 0b, 0o
  int from = 0;            // 0: not said
  int to = 10;
};

struct BaseAnswer {
  std::string value;  // as asked, with its prefix
  int from = 10;
  std::string result;  // with its prefix
};

// Nothing where the digits do not fit the base, where the base is not said and not certain ("1010
// to decimal"), and over 126 bits.
std::optional<BaseAnswer> convert_base(const BaseQuestion& question);

}  // namespace tinyarms::questions
