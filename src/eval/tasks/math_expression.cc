#include "eval/tasks/math_expression.h"

#include <cmath>
#include <string>
#include <vector>

#include "eval/tasks/math_expression_node.h"
#include "eval/tasks/math_expression_parser.h"

namespace tinyarms::eval {
namespace {

using Node = Expression::Node;
using Complex = std::complex<double>;
using Kind = Node::Kind;

constexpr int kPoints = 6;
constexpr int kPointsAgreeingMin = 3;
constexpr double kTolerance = 1e-10;
constexpr int64_t kExponentMax = 64;

// A value between 0.3 and 2.3 with a small imaginary part, spread by the name (FNV-1a).
Complex variable_at(const std::string& name, int point) {
  uint64_t hash = 1469598103934665603ull + static_cast<uint64_t>(point) * 0x9E3779B97F4A7C15ull;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  hash ^= hash >> 29;
  hash *= 0xBF58476D1CE4E5B9ull;
  hash ^= hash >> 32;
  const double real = 0.3 + 2 * static_cast<double>(hash & 0xFFFFFF) / 0x1000000;
  // Half of the points are real: roots and absolute values then behave as people mean them.
  return {real, point % 2 == 0 ? 0 : 0.1 + 0.2 * static_cast<double>(hash >> 48) / 0x10000};
}

Complex factorial(Complex value) {
  const double n = value.real();
  if (std::abs(value.imag()) > 1e-12 || n < 0 || n > 170 || n != std::floor(n)) return NAN;
  return std::tgamma(n + 1);
}

Complex binomial(Complex above, Complex below) {
  const double n = above.real();
  const double k = below.real();
  if (n != std::floor(n) || k != std::floor(k) || k < 0 || n < k || n > 1000) return NAN;
  double result = 1;
  for (int i = 1; i <= static_cast<int>(k); ++i) result = result * (n - k + i) / i;
  return std::round(result);
}

Complex apply(const std::string& name, Complex x) {
  if (name == "sin") return std::sin(x);
  if (name == "cos") return std::cos(x);
  if (name == "tan") return std::tan(x);
  if (name == "cot") return 1.0 / std::tan(x);
  if (name == "sec") return 1.0 / std::cos(x);
  if (name == "csc") return 1.0 / std::sin(x);
  if (name == "arcsin") return std::asin(x);
  if (name == "arccos") return std::acos(x);
  if (name == "arctan") return std::atan(x);
  if (name == "sinh") return std::sinh(x);
  if (name == "cosh") return std::cosh(x);
  if (name == "tanh") return std::tanh(x);
  if (name == "ln") return std::log(x);
  if (name == "log") return std::log10(x);
  if (name == "exp") return std::exp(x);
  if (name == "abs") return std::abs(x);
  if (name == "floor") return std::floor(x.real());
  if (name == "ceil") return std::ceil(x.real());
  return NAN;
}

Complex root(Complex x, Complex n) {
  // The real root of a negative number, where there is one, is what people mean.
  if (x.imag() == 0 && x.real() < 0 && n.imag() == 0 && std::fmod(std::abs(n.real()), 2) == 1) {
    return -std::pow(-x.real(), 1 / n.real());
  }
  return n == 2.0 ? std::sqrt(x) : std::pow(x, 1.0 / n);
}

Complex power(Complex base, Complex exponent) {
  const double whole = exponent.real();
  if (exponent.imag() == 0 && whole == std::floor(whole) &&
      std::abs(whole) <= static_cast<double>(kExponentMax)) {
    Complex result = 1;  // products keep real numbers real; std::pow goes through the logarithm
    for (int i = 0; i < static_cast<int>(std::abs(whole)); ++i) result *= base;
    return whole < 0 ? 1.0 / result : result;
  }
  return std::pow(base, exponent);
}

Complex evaluate(const Node& node, int point) {
  const auto part = [&](size_t i) { return evaluate(*node.parts[i], point); };
  switch (node.kind) {
    case Kind::Number: return node.real;
    case Kind::Variable: return variable_at(node.name, point);
    case Kind::Imaginary: return {0, 1};
    case Kind::Add: return part(0) + part(1);
    case Kind::Subtract: return part(0) - part(1);
    case Kind::Multiply: return part(0) * part(1);
    case Kind::Divide: return part(0) / part(1);
    case Kind::Negate: return -part(0);
    case Kind::Power: return power(part(0), part(1));
    case Kind::Root: return root(part(0), part(1));
    case Kind::Factorial: return factorial(part(0));
    case Kind::Binomial: return binomial(part(0), part(1));
    case Kind::LogBase: return std::log(part(1)) / std::log(part(0));
    case Kind::Function: return apply(node.name, part(0));
  }
  return NAN;
}

std::optional<Rational> exact_power(const Rational& base, const Rational& exponent) {
  if (!exponent.is_integer() || std::abs(exponent.numerator) > kExponentMax) return {};
  std::optional<Rational> result = Rational{1, 1};
  for (int64_t i = 0; result && i < std::abs(exponent.numerator); ++i) {
    result = multiply(*result, base);
  }
  return result && exponent.numerator < 0 ? divide(Rational{1, 1}, *result) : result;
}

std::optional<Rational> exact_value(const Node& node) {
  if (node.kind == Kind::Number) return node.exact;
  std::vector<Rational> parts;
  for (const auto& part : node.parts) {
    const auto value = exact_value(*part);
    if (!value) return {};
    parts.push_back(*value);
  }
  switch (node.kind) {
    case Kind::Add: return add(parts[0], parts[1]);
    case Kind::Subtract: return add(parts[0], negate(parts[1]));
    case Kind::Multiply: return multiply(parts[0], parts[1]);
    case Kind::Divide: return divide(parts[0], parts[1]);
    case Kind::Negate: return negate(parts[0]);
    case Kind::Power: return exact_power(parts[0], parts[1]);
    case Kind::Number:
    case Kind::Variable:
    case Kind::Imaginary:
    case Kind::Root:
    case Kind::Factorial:
    case Kind::Binomial:
    case Kind::LogBase:
    case Kind::Function: break;
  }
  return {};
}

bool contains_variable(const Node& node) {
  if (node.kind == Kind::Variable) return true;
  for (const auto& part : node.parts) {
    if (contains_variable(*part)) return true;
  }
  return false;
}

bool is_finite(Complex value) {
  return std::isfinite(value.real()) && std::isfinite(value.imag());
}

bool agree_everywhere(const Expression& a, const Expression& b, double sign) {
  // An odd power of rounding noise is still noise: nothing smaller than this is told from zero.
  constexpr double kNothing = 1e-13;
  int agreeing = 0;
  for (int point = 0; point < kPoints; ++point) {
    const Complex left = a.at(point);
    const Complex right = sign * b.at(point);
    if (!is_finite(left) || !is_finite(right)) continue;
    const double size = std::max(std::abs(left), std::abs(right));
    if (std::abs(left - right) > kTolerance * size + kNothing) return false;
    ++agreeing;
  }
  return agreeing >= kPointsAgreeingMin;
}

}  // namespace

Expression::Expression(std::unique_ptr<Node> root) : root_(std::move(root)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

std::optional<Expression> Expression::parse(std::string_view text) {
  auto root = parse_expression(text);
  if (!root) return {};
  return Expression(std::move(root));
}

std::optional<Rational> Expression::exact() const { return exact_value(*root_); }
std::complex<double> Expression::at(int point) const { return evaluate(*root_, point); }
bool Expression::has_variables() const { return contains_variable(*root_); }

bool same_value(const Expression& a, const Expression& b) {
  const auto left = a.exact();
  const auto right = b.exact();
  if (left && right) return *left == *right;
  return agree_everywhere(a, b, 1);
}

bool same_up_to_sign(const Expression& a, const Expression& b) {
  return agree_everywhere(a, b, 1) || agree_everywhere(a, b, -1);
}

}  // namespace tinyarms::eval
