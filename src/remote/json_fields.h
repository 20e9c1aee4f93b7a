// Fields of a stranger's JSON, read so that nothing about them can throw.
#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace tinyarms::remote {

// A member of an object; null where it is none, or has no such member.
inline const nlohmann::json& member(const nlohmann::json& object, const char* name) {
  static const nlohmann::json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

inline std::string text_of(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

inline int64_t count_of(const nlohmann::json& value) {
  return value.is_number_integer() ? std::max<int64_t>(0, value.get<int64_t>()) : 0;
}

// Schemas come as texts that were looked at before; what is none is left out.
inline nlohmann::json schema_of(const std::string& text) {
  nlohmann::json schema = nlohmann::json::parse(text, nullptr, false);
  return schema.is_object() ? schema : nlohmann::json::object();
}

}  // namespace tinyarms::remote
