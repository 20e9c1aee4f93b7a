#include "questions/arithmetic.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "questions/rational.h"

namespace tinyarms::questions {
namespace {

constexpr size_t kExpressionBytesMax = 400;
constexpr int kDepthMax = 50;

enum class Kind { Number, Operator, Root, Absolute, FactorialOf, Open, Close, Factorial, Percent };

struct Token {
  Kind kind;
  char symbol = 0;         // of an Operator: + - * / ^ m
  bool word = false;       // written as a word
  Rational number;
};

struct Spelling {
  std::string_view text;
  Token token;
};

// Longest first where one begins another. Words end at a word's border.
const std::vector<Spelling>& spellings() {
  static const std::vector<Spelling> kSpellings = {
      {"raised to the power of", {Kind::Operator, '^', true, {}}},
      {"to the power of", {Kind::Operator, '^', true, {}}},
      {"the square root of", {Kind::Root, 0, true, {}}},
      {"square root of", {Kind::Root, 0, true, {}}},
      {"multiplied by", {Kind::Operator, '*', true, {}}},
      {"divided by", {Kind::Operator, '/', true, {}}},
      {"the factorial of", {Kind::FactorialOf, 0, true, {}}},
      {"factorial of", {Kind::FactorialOf, 0, true, {}}},
      {"factorial", {Kind::Factorial, 0, true, {}}},
      {"percent of", {Kind::Percent, 0, true, {}}},
      {"% of", {Kind::Percent, 0, true, {}}},
      {"modulo", {Kind::Operator, 'm', true, {}}},
      {"mod", {Kind::Operator, 'm', true, {}}},
      {"minus", {Kind::Operator, '-', true, {}}},
      {"times", {Kind::Operator, '*', true, {}}},
      {"plus", {Kind::Operator, '+', true, {}}},
      {"sqrt", {Kind::Root, 0, false, {}}},
      {"√", {Kind::Root, 0, false, {}}},
      {"abs", {Kind::Absolute, 0, false, {}}},
      {"**", {Kind::Operator, '^', false, {}}},
      {"×", {Kind::Operator, '*', false, {}}},
      {"·", {Kind::Operator, '*', false, {}}},
      {"÷", {Kind::Operator, '/', false, {}}},
      {"−", {Kind::Operator, '-', false, {}}},
      {"x ", {Kind::Operator, '*', false, {}}},
      {"+", {Kind::Operator, '+', false, {}}},
      {"-", {Kind::Operator, '-', false, {}}},
      {"*", {Kind::Operator, '*', false, {}}},
      {"/", {Kind::Operator, '/', false, {}}},
      {"^", {Kind::Operator, '^', false, {}}},
      {"%", {Kind::Operator, 'm', false, {}}},
      {"!", {Kind::Factorial, 0, false, {}}},
      {"(", {Kind::Open, 0, false, {}}},
      {")", {Kind::Close, 0, false, {}}},
  };
  return kSpellings;
}

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

std::optional<Rational> take_number(std::string_view& text) {
  const size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view digits = text.substr(0, end);
  // 007 may be octal, .5 and 1. are typing slips as often as numbers.
  if (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1])) return std::nullopt;
  if (!is_digit(digits.front()) || !is_digit(digits.back())) return std::nullopt;
  text.remove_prefix(end);
  // 2x, 5km, 1e3, 0xff
  if (!text.empty() && is_letter(text.front())) return std::nullopt;
  return Rational::parse(digits);
}

std::optional<Token> take_token(std::string_view& text, bool after_space) {
  if (is_digit(text.front()) || text.front() == '.') {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    return Token{Kind::Number, 0, false, *number};
  }
  for (const Spelling& spelling : spellings()) {
    if (text.substr(0, spelling.text.size()) != spelling.text) continue;
    if (spelling.text == "x " && !after_space) continue;  // 1920x1080 is no product
    const std::string_view rest = text.substr(spelling.text.size());
    const bool ends_in_letter = is_letter(spelling.text.back());
    if (ends_in_letter && !rest.empty() && is_letter(rest.front())) continue;
    text = rest;
    return spelling.token;
  }
  return std::nullopt;
}

std::optional<std::vector<Token>> tokenize(std::string_view text) {
  std::vector<Token> tokens;
  bool after_space = true;
  while (!text.empty()) {
    if (text.front() == ' ') {
      text.remove_prefix(1);
      after_space = true;
      continue;
    }
    // "squared" and "cubed" are a power with its exponent.
    for (const auto& [word, exponent] : {std::pair("squared", 2), std::pair("cubed", 3)}) {
      const std::string_view name(word);
      if (text.substr(0, name.size()) != name) continue;
      tokens.push_back({Kind::Operator, '^', true, {}});
      tokens.push_back({Kind::Number, 0, false, exponent});
      text.remove_prefix(name.size());
    }
    if (text.empty()) break;
    if (text.front() == ' ') continue;
    const std::optional<Token> token = take_token(text, after_space);
    if (!token) return std::nullopt;
    tokens.push_back(*token);
    after_space = false;
  }
  return tokens;
}

struct Value {
  std::optional<Rational> exact;
  long double approximate = 0;

  static Value of(const Rational& number) { return {number, number.approximate()}; }
};

// Recursive descent over the tokens. `refused_` wins over everything: nothing is answered then.
class Evaluator {
 public:
  explicit Evaluator(const std::vector<Token>& tokens) : tokens_(tokens) {}

  Value run() {
    Value value = peek_percent_of() ? percent_of() : sum();
    if (at_ != tokens_.size()) refuse();
    return value;
  }
  bool refused() const { return refused_; }
  bool divided_by_zero() const { return divided_by_zero_; }

 private:
  Value refuse() {
    refused_ = true;
    at_ = tokens_.size();
    return Value::of(1);
  }
  Value undefined() {
    divided_by_zero_ = true;
    return Value::of(1);
  }
  bool is(Kind kind) const { return at_ < tokens_.size() && tokens_[at_].kind == kind; }
  bool is(char symbol) const { return is(Kind::Operator) && tokens_[at_].symbol == symbol; }
  bool take(Kind kind) {
    if (!is(kind)) return false;
    ++at_;
    return true;
  }
  bool take(char symbol) {
    if (!is(symbol)) return false;
    ++at_;
    return true;
  }

  bool peek_percent_of() const {
    return tokens_.size() > 2 && tokens_[0].kind == Kind::Number &&
           tokens_[1].kind == Kind::Percent;
  }
  // Only as a whole: "15% of 240 + 10" has two readings.
  Value percent_of() {
    const Value percentage = primary();
    take(Kind::Percent);
    const Value whole = primary();
    return apply('/', apply('*', percentage, whole), Value::of(100));
  }

  Value sum() {
    Value left = product();
    while (is('+') || is('-')) {
      const char symbol = tokens_[at_++].symbol;
      if (is('-')) return refuse();  // 2 - -3, 2--3
      left = apply(symbol, left, product());
    }
    return left;
  }

  Value product() {
    Value left = signed_power();
    while (is('*') || is('/') || is('m')) {
      const char symbol = tokens_[at_++].symbol;
      // Languages and people group a remainder with its neighbours differently.
      if (symbol == 'm' && tokens_.size() != 3) return refuse();
      left = apply(symbol, left, signed_power());
    }
    return left;
  }

  Value signed_power() {
    if (!take('-')) return power();
    const Value value = primary();
    if (is('^') || is(Kind::Factorial)) return refuse();  // -2^2
    return apply('-', Value::of(0), value);
  }

  Value power() {
    const Value base = postfix();
    if (!take('^')) return base;
    const bool negative = take('-');
    Value exponent = postfix();
    if (negative) exponent = apply('-', Value::of(0), exponent);
    if (is('^')) return refuse();  // 2^3^2: right to left in mathematics, not in every tool
    return apply('^', base, exponent);
  }

  Value postfix() {
    Value value = primary();
    if (!take(Kind::Factorial)) return value;
    if (is(Kind::Factorial)) return refuse();  // 5!! is another function
    return factorial(value);
  }

  Value primary() {
    if (++depth_ > kDepthMax) return refuse();
    const Value value = primary_inner();
    --depth_;
    return value;
  }

  Value primary_inner() {
    if (is(Kind::Number)) return Value::of(tokens_[at_++].number);
    if (take(Kind::Open)) {
      const Value value = sum();
      return take(Kind::Close) ? value : refuse();
    }
    if (take(Kind::Root)) return root(primary());
    if (take(Kind::Absolute)) return is(Kind::Open) ? absolute(primary()) : refuse();
    if (take(Kind::FactorialOf)) return factorial(primary());
    return refuse();
  }

  Value checked(const std::optional<Rational>& result) {
    return result ? Value::of(*result) : refuse();
  }

  Value apply(char symbol, const Value& a, const Value& b) {
    if (!a.exact || !b.exact) return apply_approximately(symbol, a, b);
    const bool divides = symbol == '/' || symbol == 'm';
    if (divides && b.exact->is_zero()) return undefined();
    switch (symbol) {
      case '+': return checked(add(*a.exact, *b.exact));
      case '-': return checked(subtract(*a.exact, *b.exact));
      case '*': return checked(multiply(*a.exact, *b.exact));
      case '/': return checked(divide(*a.exact, *b.exact));
      case 'm': return remainder(*a.exact, *b.exact);
      default: return raise(*a.exact, *b.exact);
    }
  }

  Value apply_approximately(char symbol, const Value& a, const Value& b) {
    // Rounding could hide a zero divisor.
    if (symbol == '/' && std::fabs(b.approximate) < 1e-9L) return refuse();
    switch (symbol) {
      case '+': return {std::nullopt, a.approximate + b.approximate};
      case '-': return {std::nullopt, a.approximate - b.approximate};
      case '*': return {std::nullopt, a.approximate * b.approximate};
      case '/': return {std::nullopt, a.approximate / b.approximate};
      default: return refuse();
    }
  }

  Value remainder(const Rational& a, const Rational& b) {
    if (!a.is_integer() || !b.is_integer() || a.is_negative() || b.is_negative()) return refuse();
    return checked(Rational::make(a.numerator() % b.numerator(), 1));
  }

  Value raise(const Rational& base, const Rational& exponent) {
    if (base.is_zero() && exponent.is_zero()) return refuse();
    if (!exponent.is_integer()) {
      if (exponent == *Rational::make(1, 2)) return root(Value::of(base));
      return refuse();
    }
    if (base.is_zero() && exponent.is_negative()) return undefined();
    const Integer bound = 1024;
    if (exponent.numerator() > bound || exponent.numerator() < -bound) return refuse();
    return checked(questions::power(base, static_cast<int64_t>(exponent.numerator())));
  }

  Value root(const Value& value) {
    if (!value.exact || value.exact->is_negative()) return refuse();
    if (const auto exact = square_root(*value.exact)) return Value::of(*exact);
    return {std::nullopt, std::sqrt(value.approximate)};
  }

  Value absolute(const Value& value) {
    if (!value.exact) return {std::nullopt, std::fabs(value.approximate)};
    return value.exact->is_negative() ? apply('-', Value::of(0), value) : value;
  }

  Value factorial(const Value& value) {
    if (!value.exact || !value.exact->is_integer() || value.exact->is_negative()) return refuse();
    if (value.exact->numerator() > 33) return refuse();  // 34! exceeds 128 bits
    std::optional<Rational> result = Rational(1);
    for (int64_t i = 2; i <= static_cast<int64_t>(value.exact->numerator()); ++i) {
      result = multiply(*result, i);
    }
    return checked(result);
  }

  const std::vector<Token>& tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  bool refused_ = false;
  bool divided_by_zero_ = false;
};

// Spoken expressions of several operations have no agreed grouping.
bool is_disputed(const std::vector<Token>& tokens) {
  bool words = false;
  int operations = 0;
  bool after_value = false;
  for (const Token& token : tokens) {
    words = words || token.word;
    const bool sign = token.kind == Kind::Operator && token.symbol == '-' && !after_value;
    operations += !sign && token.kind != Kind::Number && token.kind != Kind::Open &&
                  token.kind != Kind::Close;
    after_value = token.kind == Kind::Number || token.kind == Kind::Close;
  }
  return operations == 0 || (words && operations > 1);
}

std::string tidy(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '\t' || c == '\n' || c == '\r') c = ' ';
    if (c == ' ' && (result.empty() || result.back() == ' ')) continue;
    result += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  while (!result.empty() && (result.back() == ' ' || result.back() == '=')) result.pop_back();
  return result;
}

}  // namespace

std::optional<ArithmeticResult> evaluate_arithmetic(std::string_view expression) {
  if (expression.size() > kExpressionBytesMax) return std::nullopt;
  ArithmeticResult result;
  result.expression = tidy(expression);
  const auto tokens = tokenize(result.expression);
  if (!tokens || is_disputed(*tokens)) return std::nullopt;

  Evaluator evaluator(*tokens);
  const Value value = evaluator.run();
  if (evaluator.refused()) return std::nullopt;
  if (evaluator.divided_by_zero()) {
    result.relation = "is";
    result.value = "undefined (division by zero)";
    return result;
  }
  const FormattedNumber number = value.exact
                                     ? format_number(*value.exact)
                                     : FormattedNumber{format_approximation(value.approximate),
                                                       false};
  result.relation = number.exact ? "=" : "≈";
  result.value = number.text;
  return result;
}

}  // namespace tinyarms::questions
