#include "eval/tasks/math_expression_parser.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <numbers>

#include "base/ascii.h"

namespace tinyarms::eval {
namespace {

using Node = Expression::Node;
using NodePtr = std::unique_ptr<Node>;
using Kind = Node::Kind;

constexpr size_t kExpressionBytesMax = 2000;
constexpr int kExpressionDepthMax = 100;

constexpr std::array<std::string_view, 19> kFunctions = {
    "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "sin", "cos", "tan", "cot",
    "sec",    "csc",    "ln",     "log",  "exp",  "abs",  "lg",  "floor", "ceil"};


NodePtr make(Kind kind, NodePtr first = nullptr, NodePtr second = nullptr) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  if (first) node->parts.push_back(std::move(first));
  if (second) node->parts.push_back(std::move(second));
  return node;
}

NodePtr make_number(double real, std::optional<Rational> exact) {
  auto node = make(Kind::Number);
  node->real = real;
  node->exact = exact;
  return node;
}

NodePtr make_named(Kind kind, std::string name, NodePtr argument = nullptr) {
  auto node = make(kind, std::move(argument));
  node->name = std::move(name);
  return node;
}

// Recursive descent; every function gives null for "this is not a formula".
class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) : text_(text) {}

  NodePtr whole() {
    NodePtr result = sum();
    skip();
    return at_ == text_.size() ? std::move(result) : nullptr;
  }

 private:
  void skip() {
    while (at_ < text_.size()) {
      if (std::isspace(static_cast<unsigned char>(text_[at_])) || text_[at_] == '~') {
        ++at_;
      } else if (rest().starts_with("\\ ") || rest().starts_with("\\,") ||
                 rest().starts_with("\\;") || rest().starts_with("\\:") ||
                 rest().starts_with("\\!")) {
        at_ += 2;
      } else {
        return;
      }
    }
  }
  std::string_view rest() const { return text_.substr(at_); }
  bool take(std::string_view word) {
    skip();
    if (!rest().starts_with(word)) return false;
    // A command ends where its letters do: "\cdot" is not the beginning of "\cdots".
    const bool command = word.size() > 1 && word.front() == '\\' && is_ascii_letter(word.back());
    if (command && at_ + word.size() < text_.size() && is_ascii_letter(text_[at_ + word.size()])) {
      return false;
    }
    at_ += word.size();
    return true;
  }
  char peek() {
    skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  NodePtr sum() {
    if (++depth_ > kExpressionDepthMax) return nullptr;
    NodePtr left = product();
    while (left) {
      if (take("+")) {
        NodePtr right = product();
        left = right ? make(Kind::Add, std::move(left), std::move(right)) : nullptr;
      } else if (take("-")) {
        NodePtr right = product();
        left = right ? make(Kind::Subtract, std::move(left), std::move(right)) : nullptr;
      } else {
        break;
      }
    }
    --depth_;
    return left;
  }

  NodePtr product() {
    NodePtr left = signed_factor();
    while (left) {
      if (take("\\cdot") || take("\\times") || take("*")) {
        NodePtr right = signed_factor();
        left = right ? make(Kind::Multiply, std::move(left), std::move(right)) : nullptr;
      } else if (take("/") || take("\\div")) {
        NodePtr right = signed_factor();
        left = right ? make(Kind::Divide, std::move(left), std::move(right)) : nullptr;
      } else if (starts_factor()) {
        NodePtr right = factor();
        left = right ? make(Kind::Multiply, std::move(left), std::move(right)) : nullptr;
      } else {
        break;
      }
    }
    return left;
  }

  NodePtr signed_factor() {
    bool negative = false;
    while (true) {
      if (take("-")) {
        negative = !negative;
      } else if (!take("+")) {
        break;
      }
    }
    NodePtr value = factor();
    return value && negative ? make(Kind::Negate, std::move(value)) : std::move(value);
  }

  // Whether what follows is multiplied by standing there. A bar may close as well as open, so it
  // never does.
  bool starts_factor() {
    const char c = peek();
    if (c == '(' || c == '{' || c == '.' || is_digit(c) || is_ascii_letter(c)) return true;
    if (c != '\\') return false;
    const std::string_view after = rest().substr(1);
    return !after.empty() && is_ascii_letter(after.front()) && !after.starts_with("right") &&
           !after.starts_with("rfloor") && !after.starts_with("rceil") && !after.starts_with("end");
  }

  NodePtr factor() {
    if (++depth_ > kExpressionDepthMax) return nullptr;
    NodePtr value = primary();
    while (value) {
      if (take("!")) {
        value = make(Kind::Factorial, std::move(value));
      } else if (take("^")) {
        NodePtr exponent = argument();
        value = exponent ? make(Kind::Power, std::move(value), std::move(exponent)) : nullptr;
      } else {
        break;
      }
    }
    --depth_;
    return value;
  }

  // What a command or ^ takes: a group, a signed number or one symbol ("x^2y" is x²·y).
  NodePtr argument() {
    const char c = peek();
    if (c == '{' || c == '(' || c == '\\') return primary();
    if (c == '-') {
      ++at_;
      NodePtr value = argument();
      return value ? make(Kind::Negate, std::move(value)) : nullptr;
    }
    if (is_digit(c)) return in_braces_only_ ? digit() : number();
    if (is_ascii_letter(c)) return symbol();
    return nullptr;
  }

  NodePtr digit() {
    const int value = text_[at_++] - '0';
    return make_number(value, Rational{value, 1});
  }

  NodePtr group(std::string_view close) {
    NodePtr inside = sum();
    return inside && take(close) ? std::move(inside) : nullptr;
  }

  NodePtr opened_group(std::string_view close) {
    ++at_;
    return group(close);
  }

  NodePtr primary() {
    const char c = peek();
    if (is_digit(c) || c == '.') return mixed_number();
    if (c == '(') return opened_group(")");
    if (c == '[') return opened_group("]");
    if (c == '{') return opened_group("}");
    if (c == '|') {
      NodePtr inside = opened_group("|");
      return inside ? make_named(Kind::Function, "abs", std::move(inside)) : nullptr;
    }
    if (c == '\\') return command();
    if (is_ascii_letter(c)) return word();
    return nullptr;
  }

  NodePtr number() {
    const size_t begin = at_;
    while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
    const std::string digits(text_.substr(begin, at_ - begin));
    if (std::count(digits.begin(), digits.end(), '.') > 1 || digits == ".") return nullptr;
    return make_number(std::strtod(digits.c_str(), nullptr), parse_decimal(digits));
  }

  // "3\frac{1}{2}" and "3 1/2": a whole number beside a fraction of numbers is added to it.
  NodePtr mixed_number() {
    NodePtr whole = number();
    if (!whole || !whole->exact || !whole->exact->is_integer()) return whole;
    const size_t back = at_;
    NodePtr part;
    skip();
    if (rest().starts_with("\\frac")) {
      part = command();
    } else if (at_ > back && is_digit(peek())) {
      NodePtr above = number();
      NodePtr below = above && take("/") && is_digit(peek()) ? number() : nullptr;
      if (below) part = make(Kind::Divide, std::move(above), std::move(below));
    }
    const bool fraction = part && part->kind == Kind::Divide &&
                          part->parts[0]->kind == Kind::Number &&
                          part->parts[1]->kind == Kind::Number;
    if (fraction) return make(Kind::Add, std::move(whole), std::move(part));
    at_ = back;
    return whole;
  }

  NodePtr command() {
    const size_t begin = ++at_;
    while (at_ < text_.size() && is_ascii_letter(text_[at_])) ++at_;
    const std::string name(text_.substr(begin, at_ - begin));
    if (name == "left" || name == "big" || name == "Big") return primary();
    if (name == "frac" || name == "dfrac" || name == "tfrac") return two(Kind::Divide);
    if (name == "binom" || name == "dbinom") return two(Kind::Binomial);
    if (name == "sqrt") return square_root();
    if (name == "pi") return make_number(std::numbers::pi, {});
    if (name == "infty") return make_named(Kind::Variable, "\\infty");
    if (name == "lfloor") return rounded("floor", "\\rfloor");
    if (name == "lceil") return rounded("ceil", "\\rceil");
    if (std::find(kFunctions.begin(), kFunctions.end(), name) != kFunctions.end()) {
      return function(name);
    }
    if (name == "mathrm" || name == "operatorname" || name == "text") return nullptr;
    return name.empty() ? nullptr : variable("\\" + name);
  }

  NodePtr two(Kind kind) {
    in_braces_only_ = true;  // "\frac12" is one half
    NodePtr first = argument();
    NodePtr second = first ? argument() : nullptr;
    in_braces_only_ = false;
    return second ? make(kind, std::move(first), std::move(second)) : nullptr;
  }

  NodePtr square_root() {
    NodePtr degree = make_number(2, Rational{2, 1});
    if (peek() == '[') {
      ++at_;
      degree = group("]");
      if (!degree) return nullptr;
    }
    in_braces_only_ = true;
    NodePtr radicand = argument();
    in_braces_only_ = false;
    return radicand ? make(Kind::Root, std::move(radicand), std::move(degree)) : nullptr;
  }

  NodePtr rounded(const std::string& name, std::string_view close) {
    NodePtr inside = group(close);
    return inside ? make_named(Kind::Function, name, std::move(inside)) : nullptr;
  }

  // sin x, \sin^2 x, \log_2 8, sin 2x (of 2x), sin(2)x (of 2, times x).
  NodePtr function(const std::string& name) {
    NodePtr base;
    NodePtr exponent;
    while (peek() == '_' || peek() == '^') {
      const char mark = text_[at_++];
      in_braces_only_ = true;
      NodePtr& slot = mark == '_' ? base : exponent;
      slot = argument();
      in_braces_only_ = false;
      if (!slot) return nullptr;
    }
    const char next = peek();
    const bool grouped = next == '(' || next == '{' || rest().starts_with("\\left");
    NodePtr inside = grouped ? primary() : open_argument();
    if (!inside) return nullptr;
    NodePtr value = base ? make(Kind::LogBase, std::move(base), std::move(inside))
                         : make_named(Kind::Function, name == "lg" ? "log" : name,
                                      std::move(inside));
    return exponent ? make(Kind::Power, std::move(value), std::move(exponent)) : std::move(value);
  }

  NodePtr open_argument() {
    if (++depth_ > kExpressionDepthMax) return nullptr;
    NodePtr inside = signed_factor();
    while (inside && starts_factor() && !starts_function()) {
      NodePtr next = factor();
      inside = next ? make(Kind::Multiply, std::move(inside), std::move(next)) : nullptr;
    }
    if (inside && take("/")) {
      NodePtr below = factor();
      inside = below ? make(Kind::Divide, std::move(inside), std::move(below)) : nullptr;
    }
    --depth_;
    return inside;
  }

  bool starts_function() {
    std::string_view ahead = rest();
    if (ahead.starts_with("\\")) ahead.remove_prefix(1);
    return std::any_of(kFunctions.begin(), kFunctions.end(),
                       [&](std::string_view name) { return ahead.starts_with(name); });
  }

  NodePtr word() {
    const std::string_view ahead = rest();
    if (ahead.starts_with("sqrt")) {
      at_ += 4;
      return square_root();
    }
    if (ahead.starts_with("pi") && (ahead.size() == 2 || !is_ascii_letter(ahead[2]))) {
      at_ += 2;
      return make_number(std::numbers::pi, {});
    }
    for (const std::string_view name : kFunctions) {
      const bool whole = ahead.size() > name.size() && !is_ascii_letter(ahead[name.size()]);
      if (ahead.starts_with(name) && whole) {
        at_ += name.size();
        return function(std::string(name));
      }
    }
    return symbol();
  }

  NodePtr symbol() {
    const std::string name(1, text_[at_++]);
    if (name == "i") return make(Kind::Imaginary);
    if (name == "e") return make_number(std::numbers::e, {});
    return variable(name);
  }

  // x, x_1, \alpha_{12}: the subscript is part of the name.
  NodePtr variable(std::string name) {
    if (at_ < text_.size() && text_[at_] == '_') {
      const size_t open = at_ + 1;
      if (open >= text_.size()) return nullptr;
      const size_t end = text_[open] == '{' ? text_.find('}', open) : open;
      if (end == std::string_view::npos) return nullptr;
      for (size_t i = open; i <= end; ++i) {
        if (text_[i] != '{' && text_[i] != '}') name += text_[i] == '\\' ? '.' : text_[i];
      }
      at_ = end + 1;
    }
    return make_named(Kind::Variable, std::move(name));
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  bool in_braces_only_ = false;  // a bare argument is one character, as in TeX
};

}  // namespace

NodePtr parse_expression(std::string_view text) {
  if (text.size() > kExpressionBytesMax) return nullptr;
  return ExpressionParser(text).whole();
}

}  // namespace tinyarms::eval
