#include "service/toml_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "base/nearest.h"

namespace tinyarms::service {
namespace {

template <typename T>
const T* value_of(const TomlNode& node) {
  return node.kind == TomlNode::Kind::Value ? std::get_if<T>(&node.value) : nullptr;
}

}  // namespace

std::string TomlReader::place(const TomlNode& node) const {
  return fmt::format("{}:{}:{}", file_, node.line, node.column);
}

void TomlReader::refuse(const TomlNode& node, std::string what, std::string hint) {
  if (!fault_) fault_ = Error{ErrorCode::Config, std::move(what), place(node), std::move(hint)};
}

void TomlReader::unknown(const TomlNode& node, const std::vector<std::string>& known) {
  const auto close = nearest(node.key, known);
  refuse(node, fmt::format("unknown key {}", printable(node.key)),
         close ? fmt::format("did you mean {}?", *close)
               : fmt::format("known here: {}", fmt::join(known, ", ")));
}

double TomlReader::number(const TomlNode& node, double low, double high) {
  const auto* whole = value_of<int64_t>(node);
  const auto* real = value_of<double>(node);
  const double value = whole != nullptr  ? static_cast<double>(*whole)
                       : real != nullptr ? *real
                                         : std::nan("");
  if (value >= low && value <= high) return value;
  refuse(node, fmt::format("{} is not a number from {} to {}", printable(node.key), low, high));
  return low;
}

bool TomlReader::flag(const TomlNode& node) {
  if (const auto* value = value_of<bool>(node)) return *value;
  refuse(node, fmt::format("{} is not true or false", printable(node.key)));
  return false;
}

std::string TomlReader::text(const TomlNode& node) {
  const auto* value = value_of<std::string>(node);
  if (value != nullptr && !value->empty()) return *value;
  refuse(node, fmt::format("{} is not a text", printable(node.key)));
  return {};
}

std::vector<std::string> TomlReader::texts(const TomlNode& node) {
  if (const auto* many = value_of<std::vector<std::string>>(node)) return *many;
  refuse(node, fmt::format("{} is not a list of texts", printable(node.key)));
  return {};
}

bool TomlReader::table(const TomlNode& node) {
  if (node.kind == TomlNode::Kind::Table) return true;
  refuse(node, fmt::format("{} is not a table", printable(node.key)));
  return false;
}

}  // namespace tinyarms::service
