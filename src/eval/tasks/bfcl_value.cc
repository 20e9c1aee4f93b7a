#include "eval/tasks/bfcl_value.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace tinyarms::eval::bfcl {
namespace {

std::optional<double> number_of(const Value& value) {
  switch (value.kind) {
    case Value::Kind::Boolean: return value.boolean ? 1 : 0;
    case Value::Kind::Integer: return static_cast<double>(value.integer);
    case Value::Kind::Float: return value.real;
    case Value::Kind::None:
    case Value::Kind::String:
    case Value::Kind::List:
    case Value::Kind::Tuple:
    case Value::Kind::Dictionary: break;
  }
  return {};
}

bool same_entries(const Value& a, const Value& b) {
  return a.entries.size() == b.entries.size() &&
         std::all_of(a.entries.begin(), a.entries.end(), [&](const auto& entry) {
           const Value* other = b.entry(entry.first);
           return other != nullptr && entry.second == *other;
         });
}

}  // namespace

Value Value::of(bool boolean) {
  Value value;
  value.kind = Kind::Boolean;
  value.boolean = boolean;
  return value;
}

Value Value::of(int64_t integer) {
  Value value;
  value.kind = Kind::Integer;
  value.integer = integer;
  return value;
}

Value Value::of(double real) {
  Value value;
  value.kind = Kind::Float;
  value.real = real;
  return value;
}

Value Value::of(std::string text) {
  Value value;
  value.kind = Kind::String;
  value.text = std::move(text);
  return value;
}

Value Value::list(std::vector<Value> items) {
  Value value;
  value.kind = Kind::List;
  value.items = std::move(items);
  return value;
}

const Value* Value::entry(const std::string& key) const {
  for (const auto& [name, value] : entries) {
    if (name == key) return &value;
  }
  return nullptr;
}

bool operator==(const Value& a, const Value& b) {
  const auto left = number_of(a);
  const auto right = number_of(b);
  if (left && right) {
    const bool whole = a.kind == Value::Kind::Integer && b.kind == Value::Kind::Integer;
    return whole ? a.integer == b.integer : *left == *right;
  }
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Value::Kind::None: return true;
    case Value::Kind::String: return a.text == b.text;
    case Value::Kind::List:
    case Value::Kind::Tuple: return a.items == b.items;
    case Value::Kind::Dictionary: return same_entries(a, b);
    case Value::Kind::Boolean:
    case Value::Kind::Integer:
    case Value::Kind::Float: break;  // seen above
  }
  return false;
}

Value from_json(const nlohmann::json& json) {
  if (json.is_boolean()) return Value::of(json.get<bool>());
  if (json.is_number_unsigned() && json.get<uint64_t>() > INT64_MAX) {
    return Value::of(json.get<double>());
  }
  if (json.is_number_integer()) return Value::of(json.get<int64_t>());
  if (json.is_number_float()) return Value::of(json.get<double>());
  if (json.is_string()) return Value::of(json.get<std::string>());
  Value value;
  if (json.is_array()) {
    value.kind = Value::Kind::List;
    for (const auto& item : json) value.items.push_back(from_json(item));
  } else if (json.is_object()) {
    value.kind = Value::Kind::Dictionary;
    for (const auto& [key, item] : json.items()) value.entries.emplace_back(key, from_json(item));
  }
  return value;
}

}  // namespace tinyarms::eval::bfcl
