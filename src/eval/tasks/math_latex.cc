#include "eval/tasks/math_latex.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/ascii.h"

namespace tinyarms::eval {
namespace {

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// A command ends where its letters do.
void replace_command(std::string& text, std::string_view from, std::string_view to) {
  size_t at = text.find(from);
  while (at != std::string::npos) {
    const size_t end = at + from.size();
    if (end < text.size() && is_ascii_letter(text[end])) {
      at = text.find(from, end);
      continue;
    }
    text.replace(at, from.size(), to);
    at = text.find(from, at + to.size());
  }
}

struct Rewrite {
  std::string_view from;
  std::string_view to;
};

constexpr std::array kCommands = {
    Rewrite{"\\left", ""},       Rewrite{"\\right", ""},        Rewrite{"\\big", ""},
    Rewrite{"\\Big", ""},        Rewrite{"\\bigl", ""},         Rewrite{"\\bigr", ""},
    Rewrite{"\\displaystyle", ""}, Rewrite{"\\dfrac", "\\frac"}, Rewrite{"\\tfrac", "\\frac"},
    Rewrite{"\\cfrac", "\\frac"}, Rewrite{"\\leq", "\\le"},      Rewrite{"\\geq", "\\ge"},
    Rewrite{"\\neq", "\\ne"},    Rewrite{"\\mathrm", "\\text"}, Rewrite{"\\textbf", "\\text"},
    Rewrite{"\\mathbf", "\\text"}, Rewrite{"\\textit", "\\text"}, Rewrite{"\\mbox", "\\text"},
    Rewrite{"\\textrm", "\\text"}, Rewrite{"\\lvert", "|"},      Rewrite{"\\rvert", "|"},
    Rewrite{"\\degree", ""},     Rewrite{"\\quad", " "},        Rewrite{"\\bmatrix", "\\pmatrix"},
    Rewrite{"\\lbrace", "\\{"},  Rewrite{"\\rbrace", "\\}"},    Rewrite{"\\mid", "|"},
    Rewrite{"\\varnothing", "\\emptyset"}};

constexpr std::array kSymbols = {
    Rewrite{"$", ""},           Rewrite{"\\%", ""},         Rewrite{"%", ""},
    Rewrite{"^{\\circ}", ""},   Rewrite{"^\\circ", ""},     Rewrite{"^ \\circ", ""},
    Rewrite{"\u00b0", ""},      Rewrite{"\u2212", "-"},     Rewrite{"\u03c0", "\\pi "},
    Rewrite{"\u221a", "sqrt"},  Rewrite{"\u221e", "\\infty "}, Rewrite{"\u2264", "\\le "},
    Rewrite{"\u2265", "\\ge "}, Rewrite{"\u00d7", "\\times "}, Rewrite{"\u00b7", "\\cdot "},
    Rewrite{"\u222a", "\\cup "}, Rewrite{"\u00b1", "\\pm "},  Rewrite{"{,}", ","},
    Rewrite{"\\ ", " "},        Rewrite{"\\;", " "},        Rewrite{"\\:", " "},
    Rewrite{"\\,", " "},        Rewrite{"~", " "},          Rewrite{"\\(", ""},
    Rewrite{"\\)", ""},         Rewrite{"\\[", ""},         Rewrite{"\\]", ""},
    Rewrite{"bmatrix}", "pmatrix}"}, Rewrite{"{matrix}", "{pmatrix}"}};

// Singular; "s" is allowed behind each.
constexpr std::array<std::string_view, 50> kUnits = {
    "degree", "cm",    "centimeter", "mm",     "meter",   "metre", "km",     "kilometer", "mile",
    "second", "sec",   "minute",     "min",    "hour",    "hr",    "day",    "week",      "month",
    "year",   "foot",  "feet",       "ft",     "inch",    "inche", "yard",   "liter",     "litre",
    "gallon", "ounce", "pound",      "gram",   "kg",      "dollar", "cent",  "penny",     "pennie",
    "unit",   "square", "cubic",     "sq",     "per",     "mph",   "point",  "way",       "percent",
    "radian", "apple", "people",     "student", "coin"};

bool is_unit(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto known = [](std::string_view name) {
    return std::find(kUnits.begin(), kUnits.end(), name) != kUnits.end();
  };
  return known(word) || (word.ends_with('s') && known(word.substr(0, word.size() - 1)));
}

// "5 square cm" → "5": words of units at the end, with an exponent perhaps, if a number or closing
// bracket is before them.
std::string without_plain_units(std::string text) {
  while (true) {
    std::string_view rest = text;
    if (rest.ends_with("^2") || rest.ends_with("^3")) rest.remove_suffix(2);
    size_t begin = rest.size();
    while (begin > 0 && is_ascii_letter(rest[begin - 1])) --begin;
    const bool command = begin > 0 && rest[begin - 1] == '\\';
    if (begin == 0 || begin == rest.size() || command) return text;
    if (!is_unit(std::string(rest.substr(begin)))) return text;
    std::string shorter = trimmed(rest.substr(0, begin));
    if (shorter.empty() || shorter.back() == '^' || shorter.back() == '_') return text;
    text = std::move(shorter);
  }
}

// What \text{…} at `at` holds, and where it ends.
struct TextGroup {
  std::string inside;
  size_t end = 0;
};

std::optional<TextGroup> text_group(std::string_view text, size_t at) {
  size_t open = at + std::string_view("\\text").size();
  while (open < text.size() && text[open] == ' ') ++open;
  if (open >= text.size() || text[open] != '{') return {};
  const size_t close = text.find('}', open);
  if (close == std::string_view::npos) return {};
  return TextGroup{std::string(text.substr(open + 1, close - open - 1)), close + 1};
}

// \text{…} behind a formula is a unit and goes, with its exponent; "and" and "or" become a comma;
// where it is all there is, it stays.
std::string without_text_units(std::string text) {
  size_t at = text.find("\\text");
  while (at != std::string::npos) {
    const auto group = text_group(text, at);
    if (!group) break;
    const std::string word = trimmed(group->inside);
    size_t end = group->end;
    if (end + 1 < text.size() && text[end] == '^' && is_digit(text[end + 1])) {
      end += 2;
    } else if (text.substr(end).starts_with("^{2}") || text.substr(end).starts_with("^{3}")) {
      end += 4;
    }
    const bool something_before = !trimmed(std::string_view(text).substr(0, at)).empty();
    if (word == "and" || word == "or" || word == ", and" || word == ", or" || word == ",") {
      text.replace(at, end - at, ", ");
    } else if (something_before && text.back() != ')') {
      text.replace(at, end - at, " ");
    } else {
      at = text.find("\\text", end);
      continue;
    }
    at = text.find("\\text", at);
  }
  return text;
}

// "1,234,567" → "1234567": groups of exactly three digits, the first of at most three, the whole
// number not within brackets, where a comma separates.
std::string without_thousands_separators(const std::string& text) {
  std::string result;
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if (c == ',' && depth == 0 && i > 0 && is_digit(text[i - 1])) {
      size_t before = i;
      while (before > 0 && is_digit(text[before - 1])) --before;
      size_t after = i + 1;
      while (after < text.size() && is_digit(text[after])) ++after;
      const bool first_group = before == 0 || text[before - 1] != '.';
      if (i - before <= 3 && after - i - 1 == 3 && first_group) continue;
    }
    result += c;
  }
  return result;
}

// "\!" marks a separator whatever blanks stand around it: "11,\! 111" is one number.
std::string without_thin_spaces(std::string text) {
  size_t at = text.find("\\!");
  while (at != std::string::npos) {
    size_t begin = at;
    size_t end = at + 2;
    while (end < text.size() && text[end] == ' ') ++end;
    const bool separator = begin > 0 && text[begin - 1] == ',';
    if (separator) --begin;
    text.replace(begin, end - begin, "");
    at = text.find("\\!", begin);
  }
  return text;
}

}  // namespace

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

std::string without_blanks(std::string_view text) {
  std::string result;
  std::copy_if(text.begin(), text.end(), std::back_inserter(result),
               [](char c) { return !is_blank(c); });
  return result;
}

std::string tidy_latex(std::string_view answer) {
  std::string text = without_thin_spaces(trimmed(answer));
  replace_all(text, "\\$", "");
  replace_all(text, "\u00a3", "");
  replace_all(text, "\u20ac", "");
  replace_all(text, "\\\\", kRowEnd);  // before "\\ " and "\\[" are looked for
  for (const Rewrite& rewrite : kCommands) replace_command(text, rewrite.from, rewrite.to);
  for (const Rewrite& rewrite : kSymbols) replace_all(text, rewrite.from, rewrite.to);
  text = trimmed(text);
  while (text.ends_with('.') || text.ends_with(',')) text.pop_back();
  text = without_text_units(trimmed(text));
  text = without_plain_units(trimmed(text));
  return trimmed(without_thousands_separators(text));
}

std::vector<std::string> split_outside_brackets(std::string_view text,
                                                std::string_view separator) {
  std::vector<std::string> parts;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if (depth != 0 || !text.substr(i).starts_with(separator)) continue;
    const size_t end = i + separator.size();
    const bool command = separator.front() == '\\' && is_ascii_letter(separator.back());
    if (command && end < text.size() && is_ascii_letter(text[end])) continue;
    parts.push_back(trimmed(text.substr(begin, i - begin)));
    begin = end;
    i = end - 1;
  }
  parts.push_back(trimmed(text.substr(begin)));
  return parts;
}

std::optional<std::string> as_words(std::string_view tidy) {
  std::string text(tidy);
  bool named = false;
  for (size_t at = text.find("\\text"); at != std::string::npos; at = text.find("\\text")) {
    const auto group = text_group(text, at);
    if (!group) return {};
    text.replace(at, group->end - at, group->inside);
    named = true;
  }
  std::string words;
  size_t letters = 0;
  size_t longest = 0;
  for (const char c : text) {
    letters = is_ascii_letter(c) ? letters + 1 : 0;
    longest = std::max(longest, letters);
    if (is_ascii_letter(c)) {
      words += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (is_digit(c)) {
      words += c;
    } else if (is_blank(c) || c == '-') {
      if (!words.empty() && words.back() != ' ') words += ' ';
    } else if (c != '(' && c != ')' && c != '.' && c != '\'') {
      return {};
    }
  }
  words = trimmed(words);
  const bool one_letter = words.size() == 1 && is_ascii_letter(words[0]);
  constexpr size_t kWordMin = 4;  // shorter runs of letters are products of variables
  if (words.empty() || (!named && !one_letter && longest < kWordMin)) return {};
  return words;
}

}  // namespace tinyarms::eval
