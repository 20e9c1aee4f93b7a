#include "eval/tasks/gsm8k_number.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "base/ascii.h"
#include "eval/tasks/math_answer.h"

namespace tinyarms::eval {
namespace {


// LaTeX's ways of writing separators and currency, gone.
std::string plain(std::string_view answer) {
  std::string text;
  for (size_t i = 0; i < answer.size(); ++i) {
    const std::string_view rest = answer.substr(i);
    if (rest.starts_with("{,}")) {
      text += ',';
      i += 2;
    } else if (rest.starts_with("\\!") || rest.starts_with("\\,")) {
      i += 1;
    } else if (rest.starts_with("\\$") || rest.starts_with("\\%")) {
      // The sign itself follows.
    } else if (rest.starts_with("**")) {
      i += 1;  // bold type around a number
    } else if (rest.starts_with("\u2212")) {
      text += '-';  // the typographic minus
      i += std::string_view("\u2212").size() - 1;
    } else {
      text += answer[i];
    }
  }
  return text;
}

// Digits from `at`: groups of three behind commas belong to the number, other commas end it.
std::string take_digits(std::string_view text, size_t& at) {
  std::string digits;
  bool point = false;
  while (at < text.size()) {
    const char c = text[at];
    if (is_digit(c)) {
      digits += c;
    } else if (c == '.' && !point && at + 1 < text.size() && is_digit(text[at + 1])) {
      point = true;
      digits += c;
    } else if (c == ',' && !point && at + 3 < text.size() && is_digit(text[at + 1]) &&
               is_digit(text[at + 2]) && is_digit(text[at + 3]) &&
               (at + 4 == text.size() || !is_digit(text[at + 4]))) {
      // A separator: exactly three digits follow.
    } else {
      break;
    }
    ++at;
  }
  return digits;
}

struct Found {
  Rational value;
  size_t end = 0;
};

size_t skip_blanks(std::string_view text, size_t at) {
  while (at < text.size() && text[at] == ' ') ++at;
  return at;
}

// "/4" or " / 4" behind a number at `at`.
std::optional<Found> take_denominator(std::string_view text, size_t at) {
  at = skip_blanks(text, at);
  if (at >= text.size() || text[at] != '/') return {};
  at = skip_blanks(text, at + 1);
  const auto below = parse_decimal(take_digits(text, at));
  if (!below || below->numerator == 0) return {};
  return Found{*below, at};
}

// The number whose first digit (or point) is at `at`.
std::optional<Found> take_number(std::string_view text, size_t at) {
  const auto whole = parse_decimal(take_digits(text, at));
  if (!whole) return {};
  if (const auto below = take_denominator(text, at)) {
    const auto quotient = divide(*whole, below->value);
    return quotient ? std::optional(Found{*quotient, below->end}) : std::nullopt;
  }
  // "2 1/2"
  if (at + 1 < text.size() && text[at] == ' ' && is_digit(text[at + 1])) {
    size_t next = at + 1;
    const auto above = parse_decimal(take_digits(text, next));
    const auto below = take_denominator(text, next);
    if (above && below && whole->is_integer()) {
      const auto part = divide(*above, below->value);
      const auto sum = part ? add(*whole, *part) : std::nullopt;
      if (sum) return Found{*sum, below->end};
    }
  }
  return Found{*whole, at};
}

// Whether the digits at `at` carry a minus: "-5", "-$5", "$-5", not "3-5" and not "a-5".
bool is_negative(std::string_view text, size_t at) {
  while (at > 0 && (text[at - 1] == '$' || text[at - 1] == '(' )) --at;
  if (at == 0 || text[at - 1] != '-') return false;
  if (at == 1) return true;
  const char before = text[at - 2];
  return !is_digit(before) && !is_ascii_letter(before) && before != ')' && before != '-';
}

enum class Which { First, Last };

std::optional<Rational> number_in(std::string_view text, Which which) {
  std::optional<Rational> found;
  size_t at = 0;
  while (at < text.size()) {
    const bool point = text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1]);
    const bool starts =
        (is_digit(text[at]) || point) && (at == 0 || !is_ascii_letter(text[at - 1]));
    if (!starts) {
      // Digits glued to a word ("H2O") are part of it.
      const bool glued = is_digit(text[at]);
      ++at;
      while (glued && at < text.size() && is_digit(text[at])) ++at;
      continue;
    }
    const auto number = take_number(text, at);
    if (!number) {
      while (at < text.size() && (is_digit(text[at]) || text[at] == ',' || text[at] == '.')) ++at;
      continue;
    }
    found = is_negative(text, at) ? negate(number->value) : number->value;
    if (which == Which::First) return found;
    at = number->end;
  }
  return found;
}

}  // namespace

std::optional<Rational> final_number(std::string_view answer) {
  const std::string text = plain(answer);
  for (size_t mark = text.find("####"); mark != std::string::npos;
       mark = text.find("####", mark + 4)) {
    const std::string line = text.substr(mark + 4, text.find('\n', mark + 4) - mark - 4);
    if (const auto number = number_in(line, Which::First)) return number;
  }
  if (const auto boxed = last_boxed(answer)) {
    if (const auto number = number_in(plain(*boxed), Which::Last)) return number;
  }
  const std::string small = lowered(text);
  if (const size_t phrase = small.rfind("answer is"); phrase != std::string::npos) {
    const std::string line = text.substr(phrase, text.find('\n', phrase) - phrase);
    if (const auto number = number_in(line, Which::First)) return number;
  }
  return number_in(text, Which::Last);
}

}  // namespace tinyarms::eval
