// LaTeX or plain formula → tree.
#pragma once

#include <memory>
#include <string_view>

#include "eval/tasks/math_expression_node.h"

namespace tinyarms::eval {

// Null where the text is not one formula from end to end.
std::unique_ptr<Expression::Node> parse_expression(std::string_view text);

}  // namespace tinyarms::eval
