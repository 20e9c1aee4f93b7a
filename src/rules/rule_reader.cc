#include "rules/rule_reader.h"

#include <fmt/format.h>
#include <tree_sitter/api.h>

#include <algorithm>

namespace tinyarms::rules {
namespace {

using Op = Matcher::Op;

// In the order in which the parts of a rule object are tried.
constexpr std::string_view kKeys[] = {"pattern", "kind", "regex",   "nthChild", "range",
                                      "all",     "any",  "not",     "matches",  "inside",
                                      "has",     "precedes", "follows"};

// Verdicts of matchers that cost more than this are remembered.
constexpr int kMemoCost = 12;
constexpr int kSearchCost = 40;

bool is_known(std::string_view key) {
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

Result<void> check_columns(const NodeRange& range) {
  const bool backwards = range.start_line > range.end_line ||
                         (range.start_line == range.end_line && range.start_column &&
                          range.end_column && *range.start_column > *range.end_column);
  if (!backwards) return {};
  return Error{ErrorCode::Config, "a range must start before it ends", "", ""};
}

std::optional<uint32_t> read_number(const YamlNode* node) {
  if (node == nullptr || node->scalar.empty() || node->scalar.size() > 9) return std::nullopt;
  uint32_t value = 0;
  for (const char c : node->scalar) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint32_t>(c - '0');
  }
  return value;
}

int cost_of(const Matcher& matcher) {
  int parts = 0;
  for (const Matcher& part : matcher.parts) parts += part.cost;
  const bool far = matcher.stop_by.kind != StopBy::Kind::Neighbor;
  switch (matcher.op) {
    case Op::Kind:
      return 1;
    case Op::Regex:
    case Op::Range:
      return 4;
    case Op::Pattern:
      return 6;
    case Op::NthChild:
      return 8 + 2 * parts;
    case Op::Inside:
      return 3 + parts + (far ? kSearchCost / 2 : 0);
    case Op::Has:
    case Op::Precedes:
    case Op::Follows:
      return 4 + 2 * parts + (far ? kSearchCost : 0);
    case Op::Matches:
    case Op::Call:
      return 2 + (matcher.utility != nullptr && matcher.utility->compiled
                      ? matcher.utility->matcher.cost
                      : kSearchCost);
    case Op::All:
    case Op::Any:
    case Op::Not:
    case Op::Param:
      break;
  }
  return std::min(1 + parts, 1'000'000);
}

std::optional<KindSet> kinds_of(const Matcher& matcher) {
  std::optional<KindSet> kinds;
  switch (matcher.op) {
    case Op::Kind:
      kinds.emplace().insert(matcher.symbol);
      return kinds;
    case Op::Pattern:
      if (matcher.pattern->kind()) kinds.emplace().insert(*matcher.pattern->kind());
      return kinds;
    case Op::NthChild:
      if (!matcher.parts.empty()) kinds = matcher.parts[0].kinds;
      return kinds;
    case Op::All:
      for (const Matcher& part : matcher.parts) {
        if (!part.kinds) continue;
        if (kinds) {
          kinds->intersect(*part.kinds);
        } else {
          kinds = part.kinds;
        }
      }
      return kinds;
    case Op::Any:
      kinds.emplace();
      for (const Matcher& part : matcher.parts) {
        if (!part.kinds) return std::nullopt;
        kinds->unite(*part.kinds);
      }
      return kinds;
    case Op::Matches:
    case Op::Call:
      return matcher.utility != nullptr ? matcher.utility->kinds() : std::nullopt;
    case Op::Regex:
    case Op::Range:
    case Op::Inside:
    case Op::Has:
    case Op::Precedes:
    case Op::Follows:
    case Op::Not:
    case Op::Param:
      return std::nullopt;
  }
  return std::nullopt;
}

bool is_pure(const Matcher& matcher) {
  if (matcher.op == Op::Param || !matcher.exported.empty()) return false;
  if (matcher.op == Op::Pattern) return !matcher.pattern->has_variables();
  if (matcher.op == Op::Matches && matcher.utility != nullptr && !matcher.utility->global) {
    return matcher.utility->compiled && matcher.utility->matcher.pure;
  }
  const auto pure = [](const Matcher& part) { return part.pure; };
  return std::all_of(matcher.parts.begin(), matcher.parts.end(), pure) &&
         std::all_of(matcher.arguments.begin(), matcher.arguments.end(),
                     [](const auto& argument) { return argument.second.pure; });
}

// Pure parts may go anywhere; the others keep their order among themselves.
std::vector<uint16_t> cheap_order(const std::vector<Matcher>& parts) {
  std::vector<uint16_t> pure;
  std::vector<uint16_t> bound;
  for (size_t i = 0; i < parts.size(); ++i) {
    (parts[i].pure ? pure : bound).push_back(static_cast<uint16_t>(i));
  }
  std::stable_sort(pure.begin(), pure.end(),
                   [&](uint16_t a, uint16_t b) { return parts[a].cost < parts[b].cost; });
  std::vector<uint16_t> order;
  std::merge(pure.begin(), pure.end(), bound.begin(), bound.end(), std::back_inserter(order),
             [&](uint16_t a, uint16_t b) { return parts[a].cost < parts[b].cost; });
  return order;
}

}  // namespace

Error RuleReader::wrong(const YamlNode& node, std::string what) const {
  return Error{ErrorCode::Config, std::move(what), yaml_position(file_, node), ""};
}

void RuleReader::notice(const YamlNode& node, std::string what) {
  notices_.push_back(wrong(node, std::move(what)));
}

Matcher RuleReader::finish(Matcher matcher) {
  matcher.pure = is_pure(matcher);
  matcher.kinds = kinds_of(matcher);
  matcher.cost = cost_of(matcher);
  if (matcher.kinds) {
    std::vector<uint16_t> symbols = matcher.kinds->symbols();
    if (symbols.size() <= 8) matcher.few_kinds = std::move(symbols);
  }
  if (matcher.op == Op::All) matcher.cheap_first = cheap_order(matcher.parts);
  const bool utility = matcher.op == Op::Matches || matcher.op == Op::Call;
  const bool search = matcher.op == Op::Inside || matcher.op == Op::Has;
  if (matcher.pure && matcher.cost >= kMemoCost && (utility || (search && relations_ > 0))) {
    matcher.memo = context_.memos++;
  }
  return matcher;
}

Result<void> RuleReader::check_keys(const YamlNode& map, bool of_relation) {
  if (map.kind != YamlNode::Kind::Map) {
    return wrong(map, "a rule must be a map of pattern, kind, regex, …");
  }
  for (const auto& [key, value] : map.entries) {
    if (of_relation && (key.scalar == "stopBy" || key.scalar == "field")) continue;
    if (is_known(key.scalar)) {
      if (value.kind == YamlNode::Kind::Null) {
        return wrong(value, fmt::format("'{}' has no value", key.scalar));
      }
      continue;
    }
    if (!of_relation) {
      return wrong(key, fmt::format("unknown key '{}' in a rule; there are {}", key.scalar,
                                    fmt::join(kKeys, ", ")));
    }
    notice(key, fmt::format("unknown key '{}' in a relation is ignored", key.scalar));
  }
  return {};
}

Result<Matcher> RuleReader::read_matcher(const YamlNode& map, bool of_relation) {
  const Result<void> checked = check_keys(map, of_relation);
  if (!checked) return checked.error();
  std::vector<Matcher> parts;
  for (const std::string_view key : kKeys) {
    const YamlNode* value = map.find(key);
    if (value == nullptr) continue;
    Result<Matcher> part = read_key(key, *value);
    if (!part) return part.error();
    part->text = fmt::format("{}: {}", key, value->scalar);
    if (part->op == Op::Param) part->text = value->scalar;
    parts.push_back(std::move(*part));
  }
  if (parts.empty()) {
    return wrong(map, fmt::format("a rule needs at least one of {}", fmt::join(kKeys, ", ")));
  }
  if (parts.size() == 1) return std::move(parts.front());
  Matcher all;
  all.op = Op::All;
  all.parts = std::move(parts);
  all.text = "all keys";
  return finish(std::move(all));
}

Result<Matcher> RuleReader::read_key(std::string_view key, const YamlNode& value) {
  if (key == "pattern") return read_pattern(value);
  if (key == "kind") {
    if (value.kind != YamlNode::Kind::Scalar) return wrong(value, "'kind' must be a text");
    return read_selector(value, value.scalar);
  }
  if (key == "regex") return read_regex(value);
  if (key == "nthChild") return read_nth_child(value);
  if (key == "range") return read_range(value);
  if (key == "all") return read_list(Op::All, value);
  if (key == "any") return read_list(Op::Any, value);
  if (key == "matches") return read_matches(value);
  if (key == "inside") return read_relation(Op::Inside, value);
  if (key == "has") return read_relation(Op::Has, value);
  if (key == "precedes") return read_relation(Op::Precedes, value);
  if (key == "follows") return read_relation(Op::Follows, value);
  Result<Matcher> inner = read_matcher(value);
  if (!inner) return inner.error();
  Matcher negation;
  negation.op = Op::Not;
  negation.parts.push_back(std::move(*inner));
  return finish(std::move(negation));
}

Result<Matcher> RuleReader::kind_matcher(const YamlNode& node, std::string_view kind) {
  Matcher matcher;
  matcher.op = Op::Kind;
  matcher.symbol = ts_language_symbol_for_name(language_.grammar(), kind.data(),
                                               static_cast<uint32_t>(kind.size()), true);
  if (matcher.symbol == 0) {
    return wrong(node, fmt::format("{} has no kind '{}'", language_.name, kind));
  }
  matcher.text = fmt::format("kind: {}", kind);
  return finish(std::move(matcher));
}

Result<Matcher> RuleReader::read_pattern(const YamlNode& value) {
  PatternSource source;
  if (value.kind == YamlNode::Kind::Scalar) {
    source.text = value.scalar;
  } else {
    const YamlNode* context = value.find("context");
    if (context == nullptr) return wrong(value, "a pattern is a text, or a map with a 'context'");
    source.text = context->scalar;
    if (const YamlNode* selector = value.find("selector")) source.selector = selector->scalar;
    if (const YamlNode* strictness = value.find("strictness")) {
      const std::optional<Strictness> known = find_strictness(strictness->scalar);
      if (!known) {
        return wrong(*strictness, fmt::format("unknown strictness '{}'; there are cst, smart, ast, "
                                              "relaxed, signature, template", strictness->scalar));
      }
      source.strictness = *known;
    }
    for (const auto& [key, unused] : value.entries) {
      if (key.scalar != "context" && key.scalar != "selector" && key.scalar != "strictness") {
        return wrong(key, fmt::format("unknown key '{}' in a pattern", key.scalar));
      }
    }
  }
  Result<Pattern> pattern = Pattern::compile(source, language_, slots_);
  if (!pattern) return wrong(value, pattern.error().what);
  if (pattern->has_error()) notice(value, "the pattern has a syntax error and matches by chance");
  Matcher matcher;
  matcher.op = Op::Pattern;
  matcher.pattern.emplace(std::move(*pattern));
  return finish(std::move(matcher));
}

Result<Matcher> RuleReader::read_regex(const YamlNode& value) {
  if (value.kind != YamlNode::Kind::Scalar) return wrong(value, "'regex' must be a text");
  std::shared_ptr<const TextRegex>& known = context_.regexes[value.scalar];
  if (known == nullptr) {
    Result<TextRegex> regex = TextRegex::compile(value.scalar);
    if (!regex) return wrong(value, regex.error().what);
    known = std::make_shared<const TextRegex>(std::move(*regex));
  }
  Matcher matcher;
  matcher.op = Op::Regex;
  matcher.regex = known;
  return finish(std::move(matcher));
}

Result<Matcher> RuleReader::read_nth_child(const YamlNode& value) {
  Matcher matcher;
  matcher.op = Op::NthChild;
  const YamlNode* position = value.kind == YamlNode::Kind::Map ? value.find("position") : &value;
  const std::optional<NthPosition> read =
      position == nullptr ? std::nullopt : read_nth_position(position->scalar);
  if (!read) {
    return wrong(value, "nthChild is a number or a formula like 2n+1, or a map with one as "
                        "'position'");
  }
  matcher.position = *read;
  if (const YamlNode* reverse = value.find("reverse")) matcher.reverse = reverse->scalar == "true";
  if (const YamlNode* of_rule = value.find("ofRule")) {
    ++relations_;
    Result<Matcher> rule = read_matcher(*of_rule);
    --relations_;
    if (!rule) return rule.error();
    matcher.parts.push_back(std::move(*rule));
  }
  return finish(std::move(matcher));
}

Result<Matcher> RuleReader::read_range(const YamlNode& value) {
  const YamlNode* start = value.find("start");
  const YamlNode* end = value.find("end");
  Matcher matcher;
  matcher.op = Op::Range;
  const auto line = [](const YamlNode* place) {
    return place == nullptr ? std::nullopt : read_number(place->find("line"));
  };
  if (!line(start) || !line(end)) {
    return wrong(value, "a range needs start: {line, column} and end: {line, column}, from zero");
  }
  matcher.range = {*line(start), *line(end), read_number(start->find("column")),
                   read_number(end->find("column"))};
  const Result<void> checked = check_columns(matcher.range);
  if (!checked) return wrong(value, checked.error().what);
  return finish(std::move(matcher));
}

Result<Matcher> RuleReader::read_list(Op op, const YamlNode& value) {
  if (value.kind != YamlNode::Kind::Sequence) return wrong(value, "a list of rules was expected");
  Matcher matcher;
  matcher.op = op;
  for (const YamlNode& item : value.items) {
    Result<Matcher> part = read_matcher(item);
    if (!part) return part.error();
    matcher.parts.push_back(std::move(*part));
  }
  return finish(std::move(matcher));
}

Result<StopBy> RuleReader::read_stop_by(const YamlNode& relation) {
  StopBy stop_by;
  const YamlNode* value = relation.find("stopBy");
  if (value == nullptr || value->scalar == "neighbor") return stop_by;
  if (value->scalar == "end") {
    stop_by.kind = StopBy::Kind::End;
    return stop_by;
  }
  if (value->kind != YamlNode::Kind::Map) {
    return wrong(*value, fmt::format("stopBy is neighbor, end or a rule, not '{}'", value->scalar));
  }
  Result<Matcher> rule = read_matcher(*value);
  if (!rule) return rule.error();
  stop_by.kind = StopBy::Kind::Rule;
  stop_by.rule = std::make_unique<Matcher>(std::move(*rule));
  return stop_by;
}

Result<Matcher> RuleReader::read_relation(Op op, const YamlNode& value) {
  Matcher matcher;
  matcher.op = op;
  ++relations_;
  Result<StopBy> stop_by = read_stop_by(value);
  Result<Matcher> inner = stop_by ? read_matcher(value, true) : Result<Matcher>(stop_by.error());
  --relations_;
  if (!inner) return inner.error();
  matcher.stop_by = std::move(*stop_by);
  matcher.parts.push_back(std::move(*inner));
  if (const YamlNode* field = value.find("field")) {
    if (op == Op::Precedes || op == Op::Follows) {
      return wrong(*field, "'field' belongs to has and inside only");
    }
    matcher.field = ts_language_field_id_for_name(language_.grammar(), field->scalar.data(),
                                                  static_cast<uint32_t>(field->scalar.size()));
    if (matcher.field == 0) {
      return wrong(*field, fmt::format("{} has no field '{}'", language_.name, field->scalar));
    }
  }
  return finish(std::move(matcher));
}

}  // namespace tinyarms::rules
