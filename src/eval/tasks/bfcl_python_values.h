// What literals of Python come to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "eval/tasks/bfcl_value.h"

namespace tinyarms::eval::bfcl {

// a + b, a - b, a * b, a / b, a % b, 'f' for a // b, '^' for a ** b, of numbers; + of strings too.
// Nothing for anything else, and for a division by zero.
std::optional<Value> combine(const Value& a, char sign, const Value& b);

// `code` is at most 0x10FFFF and no surrogate.
void append_code_point(uint32_t code, std::string& text);

}  // namespace tinyarms::eval::bfcl
