// A formula as school mathematics writes it in LaTeX or plain text → a value at a point. Enough to
// tell whether two formulas are the same: exactly where both are fractions, else by their values
// at fixed points in the complex plane (as computer algebra does to refute an identity quickly).
#pragma once

#include <complex>
#include <memory>
#include <optional>
#include <string_view>

#include "eval/tasks/math_rational.h"

namespace tinyarms::eval {

// Letters (Greek ones too, subscripts being part of the name) are variables; `i` is the imaginary
// unit, `e` Euler's number, \infty a variable of its own. Understood: + - * / ^ !, implied
// products, \frac \sqrt[n] \binom, |x|, \pi, sin … arctan, sinh …, log (base 10), \log_b, ln, exp,
// mixed numbers ("3\frac12", "3 1/2"), and the plain spellings sqrt(…), pi. Formulas of more than
// 2000 bytes or 100 levels are not read.
class Expression {
 public:
  static std::optional<Expression> parse(std::string_view text);
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  // Where it is a fraction whose parts fit 64 bits.
  std::optional<Rational> exact() const;
  // With every variable at a value that its name and `point` decide. May be infinite or NaN.
  std::complex<double> at(int point) const;
  bool has_variables() const;

  struct Node;

 private:
  explicit Expression(std::unique_ptr<Node> root);
  std::unique_ptr<Node> root_;
};

// Whether they have the same value everywhere, as far as can be told. `sign`: or opposite ones.
bool same_value(const Expression& a, const Expression& b);
bool same_up_to_sign(const Expression& a, const Expression& b);

}  // namespace tinyarms::eval
