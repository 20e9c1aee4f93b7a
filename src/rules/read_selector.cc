// `kind: call > identifier:has(...)`: selectors over kinds, in CSS's form (Selectors Level 4), read
// by recursive descent.
#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "rules/rule_reader.h"

namespace tinyarms::rules {
namespace {

constexpr int kSelectorDepthMax = 50;

bool is_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

}  // namespace

class SelectorReader {
 public:
  SelectorReader(RuleReader& rules, const YamlNode& node, std::string_view text)
      : rules_(rules), node_(node), rest_(trimmed(text)) {}

  Result<Matcher> read() {
    Result<Matcher> list = read_list(0);
    if (list && !rest_.empty()) return wrong("is not understood here");
    return list;
  }

 private:
  using Op = Matcher::Op;

  Error wrong(std::string_view what) const {
    return rules_.wrong(node_, fmt::format("kind: `{}` {}", rest_, what));
  }
  bool at(char c) const { return !rest_.empty() && rest_.front() == c; }
  bool take(char c) {
    if (!at(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_blanks() {
    while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_.front()) !=
                                 std::string_view::npos) {
      rest_.remove_prefix(1);
    }
  }
  std::string_view take_identifier() {
    if (rest_.empty() || is_digit(rest_.front())) return {};
    size_t end = 0;
    while (end < rest_.size() && is_identifier(rest_[end])) ++end;
    const std::string_view name = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return name;
  }

  Result<Matcher> read_list(int depth) {
    if (depth > kSelectorDepthMax) return wrong("is nested too deeply");
    std::vector<Matcher> choices;
    do {
      skip_blanks();
      if (rest_.empty() || at(')')) break;
      Result<Matcher> choice = read_complex(depth);
      if (!choice) return choice;
      choices.push_back(std::move(*choice));
      skip_blanks();
    } while (take(','));
    if (choices.empty()) return wrong("selects nothing");
    if (choices.size() == 1) return std::move(choices.front());
    return make(Op::Any, std::move(choices));
  }

  // a > b, a + b, a ~ b, a b
  Result<Matcher> read_complex(int depth) {
    Result<Matcher> rule = read_compound(depth);
    while (rule) {
      const bool blank = at(' ') || at('\t') || at('\n') || at('\r');
      skip_blanks();
      char combinator = ' ';
      for (const char c : {'>', '+', '~'}) {
        if (take(c)) combinator = c;
      }
      if (combinator == ' ' && (!blank || rest_.empty() || at(')') || at(','))) return rule;
      skip_blanks();
      Result<Matcher> next = read_compound(depth);
      if (!next) return next;
      const bool inside = combinator == '>' || combinator == ' ';
      const bool far = combinator == '~' || combinator == ' ';
      std::vector<Matcher> both;
      both.push_back(std::move(*next));
      both.push_back(relate(inside ? Op::Inside : Op::Follows, std::move(*rule), far));
      rule = make(Op::All, std::move(both));
    }
    return rule;
  }

  Result<Matcher> read_compound(int depth) {
    std::vector<Matcher> parts;
    const std::string_view kind = take_identifier();
    if (!kind.empty()) {
      Result<Matcher> matcher = rules_.kind_matcher(node_, kind);
      if (!matcher) return matcher;
      parts.push_back(std::move(*matcher));
    }
    while (take(':')) {
      Result<Matcher> pseudo = read_pseudo(depth + 1);
      if (!pseudo) return pseudo;
      parts.push_back(std::move(*pseudo));
    }
    if (at('.')) return wrong("is a class, which nodes do not have");
    if (parts.empty()) return wrong("is no kind");
    // A relation alone would answer with another node than the one asked about.
    if (parts.size() == 1 && !kind.empty()) return std::move(parts.front());
    return make(Op::All, std::move(parts));
  }

  Result<Matcher> read_pseudo(int depth) {
    const std::string_view name = take_identifier();
    if (!take('(')) return wrong("needs a ( after the pseudo class");
    skip_blanks();
    Result<Matcher> rule = read_argument(name, depth);
    if (!rule) return rule;
    skip_blanks();
    if (!take(')')) return wrong("lacks a )");
    return rule;
  }

  Result<Matcher> read_argument(std::string_view name, int depth) {
    if (depth > kSelectorDepthMax) return wrong("is nested too deeply");
    if (name == "is") return read_list(depth);
    if (name == "nth-child" || name == "nth-last-child") {
      return read_position(name == "nth-last-child", depth);
    }
    if (name != "has" && name != "not") {
      return wrong(fmt::format("follows the unknown pseudo class '{}'; there are has, not, is, "
                               "nth-child, nth-last-child", name));
    }
    const bool near = name == "has" && take('>');
    skip_blanks();
    Result<Matcher> inner = read_complex(depth);
    if (!inner) return inner;
    if (name == "has") return relate(Op::Has, std::move(*inner), !near);
    std::vector<Matcher> parts;
    parts.push_back(std::move(*inner));
    return make(Op::Not, std::move(parts));
  }

  // An+B, then perhaps "of" and a selector.
  Result<Matcher> read_position(bool reverse, int depth) {
    size_t end = 0;
    while (end < rest_.size() && std::string_view("0123456789nN+- ").find(rest_[end]) !=
                                     std::string_view::npos) {
      ++end;
    }
    const std::optional<NthPosition> position = read_nth_position(rest_.substr(0, end));
    if (!position) return wrong("is no position like 2n+1");
    rest_.remove_prefix(end);
    Matcher matcher;
    matcher.op = Op::NthChild;
    matcher.position = *position;
    matcher.reverse = reverse;
    if (rest_.substr(0, 2) == "of") {
      rest_.remove_prefix(2);
      skip_blanks();
      Result<Matcher> of_rule = read_complex(depth);
      if (!of_rule) return of_rule;
      matcher.parts.push_back(std::move(*of_rule));
    }
    return rules_.finish(std::move(matcher));
  }

  Matcher relate(Op op, Matcher inner, bool far) {
    Matcher matcher;
    matcher.op = op;
    matcher.stop_by.kind = far ? StopBy::Kind::End : StopBy::Kind::Neighbor;
    matcher.parts.push_back(std::move(inner));
    return rules_.finish(std::move(matcher));
  }
  Matcher make(Op op, std::vector<Matcher> parts) {
    Matcher matcher;
    matcher.op = op;
    matcher.parts = std::move(parts);
    return rules_.finish(std::move(matcher));
  }

  RuleReader& rules_;
  const YamlNode& node_;
  std::string_view rest_;
};

Result<Matcher> RuleReader::read_selector(const YamlNode& node, std::string_view text) {
  return SelectorReader(*this, node, text).read();
}

}  // namespace tinyarms::rules
