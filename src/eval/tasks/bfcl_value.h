// A value as the function-calling benchmark compares them: with Python's types and Python's ==.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace tinyarms::eval::bfcl {

struct Value {
  enum class Kind { None, Boolean, Integer, Float, String, List, Tuple, Dictionary };

  Kind kind = Kind::None;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string text = {};
  std::vector<Value> items = {};                           // List, Tuple
  std::vector<std::pair<std::string, Value>> entries = {};  // Dictionary, in order

  static Value of(bool boolean);
  static Value of(int64_t integer);
  static Value of(double real);
  static Value of(std::string text);
  static Value list(std::vector<Value> items);

  bool is_text(const char* wanted) const { return kind == Kind::String && text == wanted; }
  const Value* entry(const std::string& key) const;  // null where there is none
};

// Python's ==: 1, 1.0 and True are equal; a list is no tuple; dictionaries have no order.
bool operator==(const Value& a, const Value& b);

Value from_json(const nlohmann::json& json);

// One call: what is called, and its named arguments in order.
struct Call {
  std::string name;
  std::vector<std::pair<std::string, Value>> arguments;
};

}  // namespace tinyarms::eval::bfcl
