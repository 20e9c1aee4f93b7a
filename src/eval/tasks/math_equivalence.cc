#include "eval/tasks/math_equivalence.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "eval/tasks/math_expression.h"
#include "eval/tasks/math_latex.h"

namespace tinyarms::eval {
namespace {

constexpr size_t kAnswerBytesMax = 4000;
constexpr size_t kPartsMax = 200;
constexpr int kAnswerDepthMax = 8;

bool same_tidy(const std::string& a, const std::string& b, int depth);


using Parts = std::vector<std::string>;

bool same_in_order(const Parts& a, const Parts& b, int depth) {
  if (a.size() != b.size() || a.size() > kPartsMax) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!same_tidy(a[i], b[i], depth + 1)) return false;
  }
  return true;
}

bool same_in_any_order(const Parts& a, const Parts& b, int depth) {
  if (a.size() != b.size() || a.size() > kPartsMax) return false;
  std::vector<bool> taken(b.size(), false);
  for (const std::string& part : a) {
    bool found = false;
    for (size_t i = 0; i < b.size() && !found; ++i) {
      if (taken[i] || !same_tidy(part, b[i], depth + 1)) continue;
      taken[i] = true;
      found = true;
    }
    if (!found) return false;
  }
  return true;
}

// Whether the bracket at the beginning closes at the very end.
bool encloses(std::string_view text) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if (depth == 0) return i + 1 == text.size();
  }
  return false;
}

// A point, vector or interval: its brackets and what is between them.
struct Tuple {
  char open = 0;
  char close = 0;
  Parts parts;
};

std::optional<Tuple> as_tuple(const std::string& text) {
  if (text.size() < 2) return {};
  const char open = text.front();
  const char close = text.back();
  const bool brackets = (open == '(' || open == '[') && (close == ')' || close == ']');
  if (!brackets || !encloses(text)) return {};
  Parts parts = split_outside_brackets(std::string_view(text).substr(1, text.size() - 2), ",");
  if (parts.size() < 2) return {};
  return Tuple{open, close, std::move(parts)};
}

// "a \pm b" stands for both.
Parts with_both_signs(const Parts& parts) {
  Parts result;
  for (const std::string& part : parts) {
    const size_t at = part.find("\\pm");
    if (at == std::string::npos || (at + 3 < part.size() && is_ascii_letter(part[at + 3]))) {
      result.push_back(part);
      continue;
    }
    for (const char* sign : {"+", "-"}) {
      result.push_back(part.substr(0, at) + sign + part.substr(at + 3));
    }
  }
  return result;
}

// The elements of {a, b}, of "a, b", "a and b" and "a \pm b"; one element where there is one.
struct Elements {
  bool braces = false;
  Parts parts;
};

Elements as_elements(std::string text) {
  Elements elements;
  const bool braces = text.size() >= 4 && text.starts_with("\\{") && text.ends_with("\\}");
  if (braces) {
    elements.braces = true;
    text = trimmed(std::string_view(text).substr(2, text.size() - 4));
  }
  for (const std::string_view word : {" and ", " or "}) {
    size_t at = text.find(word);
    while (at != std::string::npos) {
      text.replace(at, word.size(), ", ");
      at = text.find(word, at);
    }
  }
  Parts parts = split_outside_brackets(text, ",");
  std::erase(parts, "");
  // "x = 1, x = 2": each on its own.
  elements.parts = with_both_signs(parts);
  return elements;
}

// The rows of \begin{pmatrix} … \end{pmatrix}.
std::optional<std::vector<Parts>> as_matrix(const std::string& text) {
  for (const std::string_view name : {"pmatrix", "array", "vmatrix"}) {
    const std::string begin = "\\begin{" + std::string(name) + "}";
    const std::string end = "\\end{" + std::string(name) + "}";
    if (!text.starts_with(begin) || !text.ends_with(end)) continue;
    if (text.size() < begin.size() + end.size()) return {};
    std::string inside = text.substr(begin.size(), text.size() - begin.size() - end.size());
    if (name == "array" && inside.starts_with('{')) {
      const size_t close = inside.find('}');
      inside = close == std::string::npos ? "" : inside.substr(close + 1);
    }
    std::vector<Parts> rows;
    for (const std::string& row : split_outside_brackets(inside, kRowEnd)) {
      if (!row.empty()) rows.push_back(split_outside_brackets(row, "&"));
    }
    return rows;
  }
  return {};
}

bool same_matrix(const std::vector<Parts>& a, const std::vector<Parts>& b, int depth) {
  if (a.size() != b.size() || a.size() > kPartsMax) return false;
  for (size_t row = 0; row < a.size(); ++row) {
    if (!same_in_order(a[row], b[row], depth)) return false;
  }
  return true;
}

// "52_8", "4210_{5}": digits in a base.
struct InBase {
  std::string digits;
  std::string base;
  bool operator==(const InBase&) const = default;
};

std::optional<InBase> as_number_in_base(const std::string& text) {
  const size_t bar = text.find('_');
  if (bar == std::string::npos || bar == 0) return {};
  std::string base = text.substr(bar + 1);
  if (base.size() > 2 && base.front() == '{' && base.back() == '}') {
    base = base.substr(1, base.size() - 2);
  }
  const auto alphanumeric = [](char c) { return is_digit(c) || (c >= 'A' && c <= 'F'); };
  const std::string digits = without_blanks(text.substr(0, bar));
  const bool good = !base.empty() && std::all_of(base.begin(), base.end(), is_digit) &&
                    std::all_of(digits.begin(), digits.end(), alphanumeric);
  if (!good || !is_digit(digits.front())) return {};
  return InBase{digits, base};
}

struct Relation {
  std::string sign;  // "=", "\\le", "<", …
  std::string left;
  std::string right;
};

std::optional<Relation> as_relation(const std::string& text) {
  constexpr std::array<std::string_view, 7> kSigns = {"\\le", "\\ge", "\\ne", "=", "<", ">",
                                                      "\\in"};
  for (const std::string_view sign : kSigns) {
    const Parts sides = split_outside_brackets(text, sign);
    if (sides.size() == 2 && !sides[0].empty() && !sides[1].empty()) {
      return Relation{std::string(sign), sides[0], sides[1]};
    }
  }
  return {};
}

Relation turned(Relation relation) {
  std::swap(relation.left, relation.right);
  if (relation.sign == "<") {
    relation.sign = ">";
  } else if (relation.sign == ">") {
    relation.sign = "<";
  } else if (relation.sign == "\\le") {
    relation.sign = "\\ge";
  } else if (relation.sign == "\\ge") {
    relation.sign = "\\le";
  }
  return relation;
}

// What an equation names: "x = 5", "f(x) = 2x", "x \in (1,2)" → the right side.
std::optional<std::string> named_value(const std::string& text) {
  const auto relation = as_relation(text);
  if (!relation || (relation->sign != "=" && relation->sign != "\\in")) return {};
  const std::string name = without_blanks(relation->left);
  if (name.empty() || !(is_ascii_letter(name[0]) || name[0] == '\\')) return {};
  size_t letters = name[0] == '\\' ? 1 : 0;
  while (letters < name.size() && is_ascii_letter(name[letters])) ++letters;
  const std::string_view rest = std::string_view(name).substr(letters);
  const bool short_name = name[0] == '\\' || letters <= 2;
  const bool plain = rest.empty() || rest.front() == '_' || (rest.front() == '(' && encloses(rest));
  return short_name && plain ? std::optional(relation->right) : std::nullopt;
}

// left − right of both, up to sign: an equation may be turned round and moved to one side.
bool same_equation(const Relation& a, const Relation& b) {
  const auto difference = [](const Relation& relation) {
    return Expression::parse("(" + relation.left + ")-(" + relation.right + ")");
  };
  const auto left = difference(a);
  const auto right = difference(b);
  if (!left || !right || !left->has_variables() || !right->has_variables()) return false;
  return same_up_to_sign(*left, *right);
}

bool same_relation(const Relation& a, const Relation& b, int depth) {
  if (a.sign == "=" && b.sign == "=") return same_equation(a, b);
  const auto aligned = [&](const Relation& x, const Relation& y) {
    return x.sign == y.sign && same_tidy(x.left, y.left, depth + 1) &&
           same_tidy(x.right, y.right, depth + 1);
  };
  return aligned(a, b) || aligned(turned(a), b);
}

bool same_formula(const std::string& a, const std::string& b) {
  const auto left = Expression::parse(a);
  const auto right = Expression::parse(b);
  return left && right && same_value(*left, *right);
}

// Structures first, the outermost deciding; then words; then formulas.
bool same_tidy(const std::string& a, const std::string& b, int depth) {
  if (depth > kAnswerDepthMax) return false;
  if (without_blanks(a) == without_blanks(b)) return !a.empty();
  if (a.empty() || b.empty()) return false;

  const auto left_relation = as_relation(a);
  const auto right_relation = as_relation(b);
  if (left_relation && right_relation && same_relation(*left_relation, *right_relation, depth)) {
    return true;
  }
  const auto left_named = named_value(a);
  const auto right_named = named_value(b);
  // Where both name something, the names must agree; same_relation has seen that they do not.
  if (left_named && !right_relation) return same_tidy(*left_named, b, depth + 1);
  if (right_named && !left_relation) return same_tidy(a, *right_named, depth + 1);

  const Parts left_union = split_outside_brackets(a, "\\cup");
  const Parts right_union = split_outside_brackets(b, "\\cup");
  if (left_union.size() > 1 || right_union.size() > 1) {
    return same_in_any_order(left_union, right_union, depth);
  }
  const auto left_matrix = as_matrix(a);
  const auto right_matrix = as_matrix(b);
  if (left_matrix || right_matrix) {
    return left_matrix && right_matrix && same_matrix(*left_matrix, *right_matrix, depth);
  }
  const Elements left_set = as_elements(a);
  const Elements right_set = as_elements(b);
  if (left_set.parts.size() > 1 || right_set.parts.size() > 1 ||
      left_set.braces || right_set.braces) {
    return same_in_any_order(left_set.parts, right_set.parts, depth);
  }
  const auto left_tuple = as_tuple(a);
  const auto right_tuple = as_tuple(b);
  if (left_tuple || right_tuple) {
    return left_tuple && right_tuple && left_tuple->open == right_tuple->open &&
           left_tuple->close == right_tuple->close &&
           same_in_order(left_tuple->parts, right_tuple->parts, depth);
  }
  const auto left_base = as_number_in_base(a);
  const auto right_base = as_number_in_base(b);
  if (left_base || right_base) return left_base == right_base;
  const auto left_words = as_words(a);
  const auto right_words = as_words(b);
  if (left_words && right_words) return *left_words == *right_words;
  return same_formula(a, b);
}

}  // namespace

bool same_answer(std::string_view a, std::string_view b) {
  if (a.size() > kAnswerBytesMax || b.size() > kAnswerBytesMax) return a == b;
  return same_tidy(tidy_latex(a), tidy_latex(b), 0);
}

}  // namespace tinyarms::eval
