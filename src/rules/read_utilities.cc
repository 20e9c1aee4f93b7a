// Names in rules: utilities, calls of them, and the order in which they depend on each other.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "rules/rule_reader.h"

namespace tinyarms::rules {

namespace {

void collect_slots(const Matcher& matcher, std::set<Slot>& slots);

void collect_slots(const PatternNode& node, std::set<Slot>& slots) {
  const bool captures = node.kind == PatternNode::Kind::MetaVariable &&
                        (node.variable == MetaVariable::Kind::Capture ||
                         node.variable == MetaVariable::Kind::MultiCapture);
  if (captures) slots.insert(node.slot);
  for (const PatternNode& child : node.children) collect_slots(child, slots);
}

void collect_slots(const Matcher& matcher, std::set<Slot>& slots) {
  if (matcher.pattern) collect_slots(matcher.pattern->root(), slots);
  if (matcher.stop_by.rule) collect_slots(*matcher.stop_by.rule, slots);
  for (const Matcher& part : matcher.parts) collect_slots(part, slots);
  slots.insert(matcher.exported.begin(), matcher.exported.end());
}

}  // namespace

std::vector<Slot> defined_slots(const Matcher& matcher) {
  std::set<Slot> slots;
  collect_slots(matcher, slots);
  return {slots.begin(), slots.end()};
}

void collect_dependencies(const YamlNode& rule, std::set<std::string, std::less<>>& names) {
  if (const YamlNode* matches = rule.find("matches")) {
    if (matches->kind == YamlNode::Kind::Scalar) names.insert(matches->scalar);
    for (const auto& [callee, arguments] : matches->entries) {
      names.insert(callee.scalar);
      for (const auto& [name, argument] : arguments.entries) collect_dependencies(argument, names);
    }
  }
  for (const std::string_view key : {"all", "any"}) {
    const YamlNode* list = rule.find(key);
    if (list == nullptr) continue;
    for (const YamlNode& item : list->items) collect_dependencies(item, names);
  }
  if (const YamlNode* negated = rule.find("not")) collect_dependencies(*negated, names);
}

Result<std::vector<std::string>> order_by_dependence(
    const std::map<std::string, std::set<std::string, std::less<>>>& graph) {
  std::vector<std::string> order;
  std::set<std::string, std::less<>> done;
  std::vector<std::string> path;
  std::string cycle;
  const std::function<bool(const std::string&)> visit = [&](const std::string& name) {
    const auto known = graph.find(name);
    if (known == graph.end() || done.count(name) > 0) return true;
    const auto open = std::find(path.begin(), path.end(), name);
    if (open != path.end()) {
      cycle = fmt::format("{} -> {}", fmt::join(open, path.end(), " -> "), name);
      return false;
    }
    path.push_back(name);
    for (const std::string& dependency : known->second) {
      if (!visit(dependency)) return false;
    }
    path.pop_back();
    done.insert(name);
    order.push_back(name);
    return true;
  };
  for (const auto& [name, unused] : graph) {
    if (visit(name)) continue;
    return Error{ErrorCode::Config, "utility rules depend on themselves: " + cycle, "",
                 "only has, inside, precedes and follows may lead back to the same utility"};
  }
  return order;
}

Result<void> RuleReader::read_utilities(const YamlNode& map,
                                        std::vector<std::unique_ptr<Utility>>& store) {
  if (map.kind == YamlNode::Kind::Null) return {};
  if (map.kind != YamlNode::Kind::Map) return wrong(map, "'utils' must be a map of rules");
  std::map<std::string, std::set<std::string, std::less<>>> graph;
  for (const auto& [name, rule] : map.entries) {
    if (locals_.count(name.scalar) > 0) {
      return wrong(name, fmt::format("there are two utilities '{}'", name.scalar));
    }
    auto utility = std::make_unique<Utility>();
    utility->id = name.scalar;
    locals_[name.scalar] = utility.get();
    store.push_back(std::move(utility));
    collect_dependencies(rule, graph[name.scalar]);
  }
  const auto order = order_by_dependence(graph);
  if (!order) {
    Error error = wrong(map, order.error().what);
    error.hint = order.error().hint;
    return error;
  }
  for (const std::string& name : *order) {
    Result<Matcher> matcher = read_matcher(*map.find(name));
    if (!matcher) return matcher.error().wrap(fmt::format("utility '{}'", name));
    Utility& utility = *locals_[name];
    utility.matcher = std::move(*matcher);
    utility.compiled = true;
  }
  return {};
}

const Utility* RuleReader::find_utility(std::string_view id) const {
  const auto local = locals_.find(id);
  if (local != locals_.end()) return local->second;
  const auto global = context_.globals.find(id);
  return global == context_.globals.end() ? nullptr : global->second;
}

Result<Matcher> RuleReader::read_matches(const YamlNode& value) {
  if (value.kind == YamlNode::Kind::Map) {
    Matcher all;
    all.op = Matcher::Op::All;
    for (const auto& [callee, arguments] : value.entries) {
      Result<Matcher> call = read_call(callee, arguments);
      if (!call) return call.error();
      all.parts.push_back(std::move(*call));
    }
    if (all.parts.empty()) return wrong(value, "'matches' names no utility");
    if (all.parts.size() == 1) return std::move(all.parts.front());
    return finish(std::move(all));
  }
  if (value.kind != YamlNode::Kind::Scalar) return wrong(value, "'matches' names a utility");
  Matcher matcher;
  matcher.op = Matcher::Op::Matches;
  if (std::find(parameters_.begin(), parameters_.end(), value.scalar) != parameters_.end()) {
    matcher.op = Matcher::Op::Param;
    return finish(std::move(matcher));
  }
  matcher.utility = find_utility(value.scalar);
  if (matcher.utility == nullptr) {
    return wrong(value, fmt::format("there is no utility '{}'", value.scalar));
  }
  if (!matcher.utility->parameters.empty()) {
    return wrong(value, fmt::format("utility '{}' needs arguments: {}", value.scalar,
                                    fmt::join(matcher.utility->parameters, ", ")));
  }
  return finish(std::move(matcher));
}

Result<Matcher> RuleReader::read_call(const YamlNode& callee, const YamlNode& arguments) {
  Matcher matcher;
  matcher.op = Matcher::Op::Call;
  matcher.text = fmt::format("matches: {}", callee.scalar);
  matcher.utility = find_utility(callee.scalar);
  if (matcher.utility == nullptr) {
    return wrong(callee, fmt::format("there is no utility '{}'", callee.scalar));
  }
  const std::vector<std::string>& parameters = matcher.utility->parameters;
  if (parameters.empty()) {
    return wrong(callee, fmt::format("utility '{}' takes no arguments", callee.scalar));
  }
  std::set<Slot> exported;
  for (const auto& [name, rule] : arguments.entries) {
    if (std::find(parameters.begin(), parameters.end(), name.scalar) == parameters.end()) {
      return wrong(name, fmt::format("utility '{}' has no parameter '{}'", callee.scalar,
                                     name.scalar));
    }
    Result<Matcher> argument = read_matcher(rule);
    if (!argument) return argument.error();
    for (const Slot slot : defined_slots(*argument)) exported.insert(slot);
    matcher.arguments.emplace(name.scalar, std::move(*argument));
  }
  for (const std::string& name : parameters) {
    if (matcher.arguments.count(name) == 0) {
      return wrong(callee, fmt::format("utility '{}' lacks its argument '{}'", callee.scalar,
                                       name));
    }
  }
  matcher.exported.assign(exported.begin(), exported.end());
  return finish(std::move(matcher));
}

}  // namespace tinyarms::rules
