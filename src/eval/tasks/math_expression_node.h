// The tree of a formula, between its parser and its evaluation.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eval/tasks/math_expression.h"

namespace tinyarms::eval {

struct Expression::Node {
  enum class Kind {
    Number,
    Variable,   // name
    Imaginary,
    Add,
    Subtract,
    Multiply,
    Divide,
    Negate,
    Power,      // base, exponent
    Root,       // radicand, degree
    Factorial,
    Binomial,   // above, below
    LogBase,    // base, argument
    Function,   // name, argument
  };

  Kind kind = Kind::Number;
  double real = 0;                // Number
  std::optional<Rational> exact = {};  // Number, where it fits
  std::string name = {};
  std::vector<std::unique_ptr<Node>> parts = {};
};

}  // namespace tinyarms::eval
