#include "rules/matcher.h"

namespace tinyarms::rules {
namespace {

// Utilities may be recursive; what lies deeper asks for nothing.
constexpr int kLiteralNeedDepthMax = 40;

LiteralNeed need_at(const Matcher& matcher, int depth) {
  using Op = Matcher::Op;
  LiteralNeed need;
  if (depth > kLiteralNeedDepthMax) return need;
  switch (matcher.op) {
    case Op::Pattern:
      return matcher.pattern->need();
    case Op::Regex:
      return matcher.regex->need();
    case Op::Any: {
      std::vector<LiteralNeed> choices;
      for (const Matcher& part : matcher.parts) choices.push_back(need_at(part, depth + 1));
      return LiteralNeed::any(std::move(choices));
    }
    case Op::Matches:
    case Op::Call:
      if (matcher.utility == nullptr || !matcher.utility->compiled) return need;
      return need_at(matcher.utility->matcher, depth + 1);
    case Op::All:
    case Op::NthChild:
    case Op::Inside:
    case Op::Has:
    case Op::Precedes:
    case Op::Follows:
      for (const Matcher& part : matcher.parts) need.add(need_at(part, depth + 1));
      return need;
    case Op::Kind:
    case Op::Range:
    case Op::Not:
    case Op::Param:
      return need;
  }
  return need;
}

}  // namespace

LiteralNeed need_of(const Matcher& matcher) { return need_at(matcher, 0); }

}  // namespace tinyarms::rules
