// Arithmetic as people write it: + - * / ^ ** % mod, parentheses, factorials, percentages,
// sqrt, abs, and the words for them ("plus", "divided by", "squared", "15% of 240"). Exact
// wherever the result is a fraction; "≈" and twelve digits for irrational roots.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tinyarms::questions {

struct ArithmeticResult {
  std::string expression;  // tidied: single spaces, no trailing "="
  std::string relation;    // "=", "≈", or "is" where the value is undefined
  std::string value;       // the number, or "undefined (division by zero)"
};

// Nothing for anything that is not an expression with at least one operation, or whose reading
// is disputed: 6/2(1+2), -2^2, negative operands of %, leading zeros, dates, thousands separators.
std::optional<ArithmeticResult> evaluate_arithmetic(std::string_view expression);

}  // namespace tinyarms::questions
