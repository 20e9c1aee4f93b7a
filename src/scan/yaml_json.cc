#include "scan/yaml_json.h"

#include <charconv>

namespace tinyarms::scan {
namespace {

using Json = nlohmann::ordered_json;

Json scalar_to_json(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text == "null" || text == "~") return nullptr;
  const char* const end = text.data() + text.size();
  int64_t whole = 0;
  if (auto [stop, problem] = std::from_chars(text.data(), end, whole);
      problem == std::errc() && stop == end) {
    return whole;
  }
  // What only looks like a number ("nan", "1e5 times", "0x10") stays text.
  if (text.find_first_not_of("0123456789+-.eE") != std::string::npos) return text;
  double number = 0;
  if (auto [stop, problem] = std::from_chars(text.data(), end, number);
      problem == std::errc() && stop == end) {
    return number;
  }
  return text;
}

}  // namespace

Json yaml_to_json(const rules::YamlNode& node) {
  switch (node.kind) {
    case rules::YamlNode::Kind::Null: return nullptr;
    case rules::YamlNode::Kind::Scalar: return scalar_to_json(node.scalar);
    case rules::YamlNode::Kind::Sequence: {
      Json list = Json::array();
      for (const rules::YamlNode& item : node.items) list.push_back(yaml_to_json(item));
      return list;
    }
    case rules::YamlNode::Kind::Map: {
      Json map = Json::object();
      for (const rules::YamlEntry& entry : node.entries) {
        map[entry.key.scalar] = yaml_to_json(entry.value);
      }
      return map;
    }
  }
  return nullptr;
}

}  // namespace tinyarms::scan
