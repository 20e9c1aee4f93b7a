#include "scan/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "rules/bounded_parse.h"
#include "rules/compiled.h"
#include "rules/evaluator.h"
#include "rules/scan.h"
#include "scan/display.h"
#include "rules/text_index.h"

namespace tinyarms::scan {
namespace {

using rules::FlatTree;
using rules::kNoNode;
using rules::Matcher;
using rules::NodeIndex;

constexpr uint64_t kSteps = 50'000'000;
constexpr size_t kQuoteColumns = 60;
constexpr size_t kDepthMax = 32;

std::string_view operation(Matcher::Op op) {
  switch (op) {
    case Matcher::Op::Pattern: return "pattern";
    case Matcher::Op::Kind: return "kind";
    case Matcher::Op::Regex: return "regex";
    case Matcher::Op::NthChild: return "nthChild";
    case Matcher::Op::Range: return "range";
    case Matcher::Op::Inside: return "inside";
    case Matcher::Op::Has: return "has";
    case Matcher::Op::Precedes: return "precedes";
    case Matcher::Op::Follows: return "follows";
    case Matcher::Op::All: return "all of";
    case Matcher::Op::Any: return "any of";
    case Matcher::Op::Not: return "not";
    case Matcher::Op::Matches: return "matches";
    case Matcher::Op::Call: return "matches, with arguments";
    case Matcher::Op::Param: return "parameter";
  }
  return "";
}

std::string quoted_code(std::string_view code) {
  const size_t length = rules::bytes_of_characters(code, kQuoteColumns);
  std::string shown = harmless(code.substr(0, length));
  return "`" + shown + (length < code.size() ? "…`" : "`");
}

class Explanation {
 public:
  Explanation(const FlatTree& tree, const rules::TextIndex& index, const rules::CompiledRule& rule)
      : tree_(tree), index_(index), rule_(rule), evaluator_(tree, memo_, kSteps) {
    evaluator_.collect_labels(true);  // verdicts from the memo would leave nothing to show
  }

  // Whether the rule matched.
  bool add_node(NodeIndex node) {
    rules::Environment env;
    env.reset(rule_.slots.size());
    rules::Environment probe;
    probe.reset(rule_.slots.size());
    const bool core = evaluator_.match(rule_.core.matcher, node, probe) != kNoNode;
    const bool holds = core && evaluator_.hold(rule_.core.constraints, probe);
    add_line(0, holds, fmt::format("{} {} at {}", tree_.kind(node), quoted_code(tree_.text(node)),
                                   place(node)));
    add_matcher(rule_.core.matcher, node, env, 1);
    if (core) add_bindings(probe);
    if (core && !holds) add_line(1, false, "constraints");
    text_ += "\n";
    return holds;
  }

  std::string& text() { return text_; }
  bool exhausted() const { return evaluator_.exhausted(); }

 private:
  std::string place(NodeIndex node) const {
    const rules::CharPosition at = index_.position(tree_.start(node));
    return fmt::format("{}:{}", at.line + 1, at.column + 1);
  }

  void add_line(size_t depth, bool holds, std::string_view what) {
    text_ += fmt::format("{}{} {}\n", std::string(2 * depth, ' '), holds ? "✓" : "✗", what);
  }

  std::string description(const Matcher& matcher) const {
    if (!matcher.text.empty()) return harmless(matcher.text);
    if (matcher.op != Matcher::Op::Kind) return std::string(operation(matcher.op));
    const char* name = ts_language_symbol_name(tree_.grammar(), matcher.symbol);
    return fmt::format("kind: {}", name == nullptr ? "?" : name);
  }

  // The verdict of one condition and of those it is made of. `env` carries what earlier conditions
  // of the same node have bound.
  bool add_matcher(const Matcher& matcher, NodeIndex node, rules::Environment& env, size_t depth) {
    if (depth > kDepthMax) return false;
    const rules::Environment before = env;
    const NodeIndex found = evaluator_.match(matcher, node, env);
    const bool holds = found != kNoNode;
    switch (matcher.op) {
      case Matcher::Op::All:
      case Matcher::Op::Any: {
        add_line(depth, holds, description(matcher));
        rules::Environment inner = before;
        for (const Matcher& part : matcher.parts) {
          if (matcher.op == Matcher::Op::Any) inner = before;
          add_matcher(part, node, inner, depth + 1);
        }
        break;
      }
      case Matcher::Op::Not: {
        add_line(depth, holds, description(matcher));
        rules::Environment inner = before;
        for (const Matcher& part : matcher.parts) add_matcher(part, node, inner, depth + 1);
        break;
      }
      case Matcher::Op::Matches: {
        add_line(depth, holds, description(matcher));
        if (matcher.utility == nullptr || !matcher.utility->compiled) break;
        rules::Environment inner = before;
        if (matcher.utility->global) inner.reset(matcher.utility->slots.size());
        add_matcher(matcher.utility->matcher, node, inner, depth + 1);
        break;
      }
      case Matcher::Op::Inside:
      case Matcher::Op::Has:
      case Matcher::Op::Precedes:
      case Matcher::Op::Follows: add_relation(matcher, node, env, before, holds, depth); break;
      case Matcher::Op::Pattern:
      case Matcher::Op::Kind:
      case Matcher::Op::Regex:
      case Matcher::Op::NthChild:
      case Matcher::Op::Range:
      case Matcher::Op::Call:
      case Matcher::Op::Param: add_line(depth, holds, description(matcher)); break;
    }
    return holds;
  }

  // A relation that holds names the node it found, the last label it left.
  void add_relation(const Matcher& matcher, NodeIndex node, const rules::Environment& env,
                    const rules::Environment& before, bool holds, size_t depth) {
    const bool labelled = env.labels().size() > before.labels().size();
    std::string line = description(matcher);
    for (const Matcher& part : matcher.parts) line += " { " + description(part) + " }";
    if (holds && labelled) {
      const NodeIndex found = env.labels().back();
      line += fmt::format(": {} {} at {}", tree_.kind(found), quoted_code(tree_.text(found)),
                          place(found));
    } else if (!holds) {
      line += fmt::format(": no such node from {} on", tree_.kind(node));
    }
    add_line(depth, holds, line);
  }

  void add_bindings(const rules::Environment& env) {
    for (size_t slot = 0; slot < env.slots(); ++slot) {
      const auto number = static_cast<rules::Slot>(slot);
      if (env.single(number) != kNoNode) {
        text_ += fmt::format("    ${} = {}\n", rule_.slots.name(number),
                             quoted_code(tree_.text(env.single(number))));
      } else if (env.has_list(number)) {
        const auto list = env.list(number);
        std::string_view code;
        if (!list.empty()) {
          const uint32_t start = tree_.start(list.front());
          code = tree_.text().substr(start, tree_.end(list.back()) - start);
        }
        text_ += fmt::format("    $$${} = {}\n", rule_.slots.name(number), quoted_code(code));
      }
    }
  }

  const FlatTree& tree_;
  const rules::TextIndex& index_;
  const rules::CompiledRule& rule_;
  rules::Memo memo_;
  rules::Evaluator evaluator_;
  std::string text_;
};

// Findings of this one rule that begin on the line, after suppressions.
size_t count_findings(const rules::RuleSet& rules, const rules::RuleInfo& rule,
                      const rules::TextIndex& index, uint32_t line) {
  std::vector<rules::Severity> severities(rules.rules().size(), rules::Severity::Off);
  severities[static_cast<size_t>(&rule - rules.rules().data())] = rules::Severity::Error;
  rules::Scratch scratch;
  const rules::ScanResult result = rules::scan(
      rules, index.text(),
      {.path = "", .language = rule.language, .severities = severities, .details = false}, scratch);
  return static_cast<size_t>(std::count_if(
      result.findings.begin(), result.findings.end(),
      [&](const rules::Finding& finding) {
        return index.line_of(finding.range.start) + 1 == line;
      }));
}

}  // namespace

Result<std::string> explain(const rules::RuleSet& rules, const rules::RuleInfo& rule,
                            std::string_view text, std::string_view path, uint32_t line) {
  const rules::TextIndex index(text);
  if (line == 0 || line > index.lines()) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("there is no line {}; the file has {}", line, index.lines()),
                 std::string(path), "name a line of the file"};
  }
  rules::ParseArena arena;
  const TSTree* parsed = rules::parse_bounded(text, rule.language->grammar(), arena);
  if (parsed == nullptr) {
    return Error{ErrorCode::OverBudget, "the file costs too much to parse", std::string(path),
                 "cut it to the part that matters"};
  }
  FlatTree tree;
  tree.build(parsed, text);
  const auto slot = static_cast<size_t>(&rule - rules.rules().data());
  const rules::CompiledRule& compiled = rules.parts().rules[slot];
  Explanation explanation(tree, index, compiled);

  size_t matched = 0;
  size_t shown = 0;
  size_t left_out = 0;
  std::set<std::string> other_kinds;
  for (NodeIndex node = 0; node < tree.size(); ++node) {
    if (!tree.is_named(node) || index.line_of(tree.start(node)) + 1 != line) continue;
    const auto& kinds = compiled.core.matcher.kinds;
    if (kinds && !kinds->contains(tree.symbol(node))) {
      other_kinds.insert(tree.kind(node));
    } else if (shown == kExplainedNodesMax) {
      ++left_out;
    } else {
      ++shown;
      matched += explanation.add_node(node) ? 1 : 0;
    }
  }
  std::string& report = explanation.text();
  if (explanation.exhausted()) {
    report += "The rule used up its steps: what is above may be wrong.\n";
  }
  if (left_out > 0) report += fmt::format("{} more nodes begin on this line.\n", left_out);
  if (!other_kinds.empty()) {
    report += fmt::format("Of kinds that the rule cannot match: {}.\n",
                          fmt::join(other_kinds, ", "));
  }
  if (!rules::applies_to(rule, path)) {
    report += "The rule's `files` or `ignores` keep it from this file.\n";
  }
  if (rule.severity == rules::Severity::Off) report += "The rule's severity is off.\n";
  if (matched > 0 && count_findings(rules, rule, index, line) == 0) {
    report += "A comment `ast-grep-ignore` suppresses what was found.\n";
  }
  report += fmt::format("{} of {} nodes on line {} match {}.\n", matched, shown, line, rule.id);
  return std::move(report);
}

}  // namespace tinyarms::scan
