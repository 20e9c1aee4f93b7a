// The number that an answer to a word problem ends in.
// Source of the order: the data set's own grader (the first number after "####"), then the forms
// that chat models use instead, then the last number at all, as common harnesses do.
#pragma once

#include <optional>
#include <string_view>

#include "eval/tasks/math_rational.h"

namespace tinyarms::eval {

// Looks, in this order, for the first number after "####" (of the first such mark that has one),
// the last \boxed{…}, the last "answer is", and the last number anywhere. A number may carry a
// sign, a currency, thousands separators, a decimal part, "a/b" or "n a/b"; a unit or percent sign
// behind it is ignored. A hyphen between two numbers is no sign. Nothing where there is no number,
// or where it does not fit 64 bits.
std::optional<Rational> final_number(std::string_view answer);

}  // namespace tinyarms::eval
