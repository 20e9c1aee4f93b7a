#include "questions/roman.h"

namespace tinyarms::questions {
namespace {

struct Symbol {
  int value;
  std::string_view letters;
};
constexpr Symbol kSymbols[] = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"},
                               {90, "XC"},  {50, "L"},   {40, "XL"}, {10, "X"},   {9, "IX"},
                               {5, "V"},    {4, "IV"},   {1, "I"}};

}  // namespace

std::string roman_of(int value) {
  std::string text;
  for (const Symbol& symbol : kSymbols) {
    for (; value >= symbol.value; value -= symbol.value) text += symbol.letters;
  }
  return text;
}

std::optional<int> read_roman(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  std::string_view rest = upper;
  int value = 0;
  for (const Symbol& symbol : kSymbols) {
    while (rest.substr(0, symbol.letters.size()) == symbol.letters) {
      rest.remove_prefix(symbol.letters.size());
      value += symbol.value;
      if (value > 3999) return std::nullopt;
    }
  }
  if (value == 0 || !rest.empty() || roman_of(value) != upper) return std::nullopt;
  return value;
}

}  // namespace tinyarms::questions
