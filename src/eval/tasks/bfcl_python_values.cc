#include "eval/tasks/bfcl_python_values.h"

#include <cmath>

namespace tinyarms::eval::bfcl {

std::optional<Value> combine(const Value& a, char sign, const Value& b) {
  using Kind = Value::Kind;
  if (a.kind == Kind::String && b.kind == Kind::String && sign == '+') {
    return Value::of(a.text + b.text);
  }
  const auto number = [](const Value& v) {
    return v.kind == Kind::Integer ? static_cast<double>(v.integer) : v.real;
  };
  const auto numeric = [](const Value& v) {
    return v.kind == Kind::Integer || v.kind == Kind::Float;
  };
  if (!numeric(a) || !numeric(b)) return {};
  double result = 0;
  switch (sign) {
    case '+': result = number(a) + number(b); break;
    case '-': result = number(a) - number(b); break;
    case '*': result = number(a) * number(b); break;
    case '^': result = std::pow(number(a), number(b)); break;
    case '/':
    case 'f':
    case '%':
      if (number(b) == 0) return {};
      result = number(a) / number(b);
      if (sign != '/') result = std::floor(result);
      if (sign == '%') result = number(a) - number(b) * result;
      break;
    default: return {};
  }
  constexpr double kExactMax = 9007199254740992.0;
  const bool whole = a.kind == Kind::Integer && b.kind == Kind::Integer && sign != '/' &&
                     std::abs(result) <= kExactMax && result == std::floor(result);
  return whole ? Value::of(static_cast<int64_t>(result)) : Value::of(result);
}

void append_code_point(uint32_t code, std::string& text) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | (code >> 6));
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | (code >> 12));
    text += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | (code >> 18));
    text += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    text += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  }
}

}  // namespace tinyarms::eval::bfcl
