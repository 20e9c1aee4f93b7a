// A rule object, compiled: a tree of conditions on one node. A rule object with several keys is an
// All of them, in ast-grep's order: pattern, kind, regex, nthChild, range, all, any, not, matches,
// inside, has, precedes, follows.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rules/environment.h"
#include "rules/kind_set.h"
#include "rules/literal_need.h"
#include "rules/nth_position.h"
#include "rules/pattern.h"
#include "rules/text_regex.h"

namespace tinyarms::rules {

struct Utility;
struct Matcher;

// How far a relational rule looks.
struct StopBy {
  enum class Kind { Neighbor, End, Rule };
  Kind kind = Kind::Neighbor;
  std::unique_ptr<Matcher> rule;  // looked for in an environment of its own
};

// `range`: where the node must be; columns in characters, absent: any.
struct NodeRange {
  uint32_t start_line = 0;
  uint32_t end_line = 0;
  std::optional<uint32_t> start_column;
  std::optional<uint32_t> end_column;
};

struct Matcher {
  enum class Op {
    Pattern, Kind, Regex, NthChild, Range, Inside, Has, Precedes, Follows, All, Any, Not,
    Matches,  // a utility rule
    Call,     // a utility rule with arguments
    Param,    // an argument of the utility rule that this is part of
  };
  Op op = Op::All;
  // What it could possibly match; nothing: any kind.
  std::optional<KindSet> kinds;
  // The kinds as a list, where a search through a subtree goes by kind.
  std::vector<uint16_t> few_kinds;
  // Neither reads nor binds metavariables: the verdict depends on the node alone.
  bool pure = true;
  // Number of its verdicts' table where they are worth remembering, else -1. Only if pure.
  int memo = -1;
  // Roughly, for doing what is cheap first.
  int cost = 1;

  std::vector<Matcher> parts;    // of All and Any; one of Not, of the relations, of ofRule
  std::vector<uint16_t> cheap_first;  // the parts of an All in an order that gives the same verdict
  std::optional<Pattern> pattern;
  uint16_t symbol = 0;
  std::shared_ptr<const TextRegex> regex;
  NthPosition position;
  bool reverse = false;
  NodeRange range;
  uint16_t field = 0;  // 0: none
  StopBy stop_by;
  const Utility* utility = nullptr;  // null: there is none of this name; matches nothing
  std::map<std::string, Matcher> arguments;
  std::vector<Slot> exported;  // of a Call: what its arguments bind
  std::string text;            // for explanations: "kind: call", "matches: util"
};

// A rule under a name. Local ones share their rule's environment; global ones have their own.
struct Utility {
  std::string id;
  bool global = false;
  bool compiled = false;
  Matcher matcher;
  std::vector<std::string> parameters;
  // Of a global one only.
  SlotTable slots;
  std::vector<std::pair<Slot, Matcher>> constraints;
  std::vector<std::unique_ptr<Utility>> locals;
  std::optional<KindSet> kinds() const { return compiled ? matcher.kinds : std::nullopt; }
};

// What a text must hold for the matcher to match one of its nodes.
LiteralNeed need_of(const Matcher& matcher);

// The variables that it may bind.
std::vector<Slot> defined_slots(const Matcher& matcher);

}  // namespace tinyarms::rules
