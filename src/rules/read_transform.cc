#include "rules/read_transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "rules/pattern.h"

namespace tinyarms::rules {
namespace {

// `replace($A, replace='^a', by='b')` as the map that it is short for; Null where it is malformed.
YamlNode expand_short_form(const YamlNode& node) {
  YamlNode nothing;
  const auto scalar = [&](std::string_view text) {
    YamlNode made;
    made.kind = YamlNode::Kind::Scalar;
    made.scalar = text;
    made.line = node.line;
    made.column = node.column;
    return made;
  };
  std::string_view rest = trimmed(node.scalar);
  const size_t open = rest.find('(');
  if (open == std::string_view::npos) return nothing;
  const std::string_view function = trimmed(rest.substr(0, open));
  rest.remove_prefix(open + 1);
  while (!rest.empty() && rest.back() == ')') rest.remove_suffix(1);
  const size_t comma = rest.find(',');
  if (comma == std::string_view::npos) return nothing;
  YamlNode inner;
  inner.kind = YamlNode::Kind::Map;
  inner.entries.push_back({scalar("source"), scalar(trimmed(rest.substr(0, comma)))});
  rest = trimmed(rest.substr(comma + 1));
  while (!rest.empty()) {
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return nothing;
    const std::string_view key = trimmed(rest.substr(0, equals));
    rest = trimmed(rest.substr(equals + 1));
    if (rest.empty()) return nothing;
    const char first = rest.front();
    const bool quoted = first == '\'' || first == '"' || first == '[';
    const size_t end = quoted ? rest.find(first == '[' ? ']' : first, 1) : rest.find(',');
    if (quoted && end == std::string_view::npos) return nothing;
    const size_t size = quoted ? end + 1 : std::min(end, rest.size());
    YamlFile value = read_yaml("", rest.substr(0, size));
    if (value.documents.size() != 1) return nothing;
    inner.entries.push_back({scalar(key), std::move(value.documents[0])});
    rest = trimmed(rest.substr(size));
    if (!rest.empty() && rest.front() == ',') rest = trimmed(rest.substr(1));
  }
  YamlNode map;
  map.kind = YamlNode::Kind::Map;
  map.line = node.line;
  map.column = node.column;
  map.entries.push_back({scalar(function), std::move(inner)});
  return map;
}

std::optional<int32_t> read_integer(const YamlNode* node) {
  if (node == nullptr) return std::nullopt;
  int32_t value = 0;
  const char* end = node->scalar.data() + node->scalar.size();
  const auto [stop, error] = std::from_chars(node->scalar.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

class TransformReader {
 public:
  TransformReader(RuleReader& reader, const YamlNode& place, SlotTable& slots)
      : reader_(reader), place_(place), slots_(slots) {}

  Result<Transform> read(const YamlNode& map) {
    if (map.entries.size() != 1) {
      return wrong("a transformation is one of replace, substring, convert, rewrite");
    }
    const auto& [function, value] = map.entries.front();
    Transform transform;
    Result<void> source = read_source(value, transform);
    if (!source) return source.error();
    Result<void> arguments = read_arguments(function.scalar, value, transform);
    if (!arguments) return arguments.error();
    return transform;
  }

 private:
  Error wrong(std::string what) const { return reader_.wrong(place_, std::move(what)); }

  Result<void> read_source(const YamlNode& value, Transform& transform) {
    const YamlNode* source = value.find("source");
    const auto variable =
        source == nullptr ? std::nullopt : read_metavariable(source->scalar, "$");
    if (!variable || variable->name.empty()) {
      return wrong("the 'source' of a transformation is a variable like $A or $$$A");
    }
    transform.source = slots_.slot(variable->name);
    transform.source_is_list = variable->kind == MetaVariable::Kind::MultiCapture;
    return {};
  }

  Result<void> read_arguments(std::string_view function, const YamlNode& value,
                              Transform& transform) {
    if (function == "substring") {
      transform.start = read_integer(value.find("startChar"));
      transform.end = read_integer(value.find("endChar"));
      return {};
    }
    if (function == "replace") return read_replace(value, transform);
    if (function == "convert") return read_convert(value, transform);
    if (function == "rewrite") return read_rewrite(value, transform);
    return wrong(fmt::format("unknown transformation '{}'; there are replace, substring, convert, "
                             "rewrite", function));
  }

  Result<void> read_replace(const YamlNode& value, Transform& transform) {
    transform.kind = Transform::Kind::Replace;
    const YamlNode* regex = value.find("replace");
    const YamlNode* by = value.find("by");
    if (regex == nullptr || by == nullptr) return wrong("replace needs 'replace' and 'by'");
    Result<TextRegex> compiled = TextRegex::compile(regex->scalar);
    if (!compiled) return wrong(compiled.error().what);
    transform.regex = std::make_shared<const TextRegex>(std::move(*compiled));
    transform.by = by->scalar;
    return {};
  }

  Result<void> read_convert(const YamlNode& value, Transform& transform) {
    transform.kind = Transform::Kind::Convert;
    const YamlNode* to = value.find("toCase");
    const auto known = to == nullptr ? std::nullopt : find_string_case(to->scalar);
    if (!known) {
      return wrong("convert needs 'toCase': lowerCase, upperCase, capitalize, camelCase, "
                   "snakeCase, kebabCase or pascalCase");
    }
    transform.to_case = *known;
    const YamlNode* separators = value.find("separatedBy");
    if (separators == nullptr || separators->kind == YamlNode::Kind::Null) return {};
    transform.split = {false, ""};
    for (const YamlNode& item : separators->items) {
      if (add_separator(item.scalar, transform.split)) continue;
      return wrong(fmt::format("unknown separator '{}'; there are caseChange, dash, dot, slash, "
                               "space, underscore", item.scalar));
    }
    return {};
  }

  Result<void> read_rewrite(const YamlNode& value, Transform& transform) {
    transform.kind = Transform::Kind::Rewrite;
    const YamlNode* rewriters = value.find("rewriters");
    if (rewriters == nullptr || rewriters->kind != YamlNode::Kind::Sequence) {
      return wrong("rewrite needs a list of 'rewriters'");
    }
    for (const YamlNode& item : rewriters->items) transform.rewriters.push_back(item.scalar);
    if (const YamlNode* join_by = value.find("joinBy")) transform.join_by = join_by->scalar;
    return {};
  }

  RuleReader& reader_;
  const YamlNode& place_;
  SlotTable& slots_;
};

}  // namespace

Result<std::vector<Transform>> read_transforms(RuleReader& reader, const YamlNode& map,
                                               const Language&, SlotTable& slots,
                                               const std::vector<Slot>& known) {
  std::map<std::string, Transform> by_name;
  std::map<std::string, std::set<std::string, std::less<>>> graph;
  const auto is_known = [&](Slot slot) {
    return std::find(known.begin(), known.end(), slot) != known.end();
  };
  for (const auto& [name, value] : map.entries) {
    const YamlNode expanded =
        value.kind == YamlNode::Kind::Scalar ? expand_short_form(value) : value.clone();
    Result<Transform> transform = TransformReader(reader, value, slots).read(expanded);
    if (!transform) return transform.error();
    transform->target = slots.slot(name.scalar);
    if (is_known(transform->target)) {
      return reader.wrong(name, fmt::format("a pattern has ${} already", name.scalar));
    }
    graph[name.scalar].insert(slots.name(transform->source));
    by_name.emplace(name.scalar, std::move(*transform));
  }
  for (const auto& [name, transform] : by_name) {
    if (is_known(transform.source) || by_name.count(slots.name(transform.source)) > 0) continue;
    return reader.wrong(map, fmt::format("'{}' is made from ${}, which no pattern has", name,
                                         slots.name(transform.source)));
  }
  const auto order = order_by_dependence(graph);
  if (!order) return reader.wrong(map, "transformations depend on each other in a circle");
  std::vector<Transform> transforms;
  for (const std::string& name : *order) transforms.push_back(std::move(by_name.at(name)));
  return transforms;
}

}  // namespace tinyarms::rules
