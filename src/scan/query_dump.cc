#include "scan/query_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "rules/language.h"
#include "rules/pattern.h"
#include "rules/syntax_tree.h"

namespace tinyarms::scan {
namespace {

using rules::FlatTree;
using rules::NodeIndex;
using rules::PatternNode;

std::string place(std::string_view text, uint32_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("({},{})", std::count(before.begin(), before.end(), '\n'),
                     before.size() - line_start);
}

std::string indent(size_t depth) { return std::string(2 * depth, ' '); }

std::string tree_lines(const FlatTree& tree, bool named_only) {
  std::string lines;
  std::vector<NodeIndex> open;  // the nodes around the current one
  for (NodeIndex node = 0; node < tree.size(); ++node) {
    if (named_only && !tree.is_named(node)) continue;
    while (!open.empty() && tree.subtree_end(open.back()) <= node) open.pop_back();
    lines += fmt::format("{}{}{} {}-{}\n", indent(open.size()),
                         tree.is_missing(node) ? "MISSING " : "", tree.kind(node),
                         place(tree.text(), tree.start(node)), place(tree.text(), tree.end(node)));
    open.push_back(node);
  }
  return lines;
}

std::string tree_expression(const FlatTree& tree) {
  std::string text;
  std::vector<NodeIndex> open;
  for (NodeIndex node = 0; node < tree.size(); ++node) {
    if (!tree.is_named(node)) continue;
    while (!open.empty() && tree.subtree_end(open.back()) <= node) {
      open.pop_back();
      text += ')';
    }
    text += fmt::format("{}({}", text.empty() ? "" : " ", tree.kind(node));
    open.push_back(node);
  }
  return text + std::string(open.size(), ')') + "\n";
}

std::string_view kind_name(const FlatTree& tree, uint16_t symbol) {
  const char* name = ts_language_symbol_name(tree.grammar(), symbol);
  return name == nullptr ? "ERROR" : name;
}

std::string variable_text(const PatternNode& node, const rules::SlotTable& slots) {
  const std::string sigil = node.is_ellipsis() ? "$$$" : node.named ? "$" : "$$";
  switch (node.variable) {
    case rules::MetaVariable::Kind::Capture:
    case rules::MetaVariable::Kind::MultiCapture: return sigil + std::string(slots.name(node.slot));
    case rules::MetaVariable::Kind::Dropped: return sigil + "_";
    case rules::MetaVariable::Kind::Multiple: return sigil;
  }
  return sigil;
}

void add_pattern_lines(const PatternNode& node, const rules::SlotTable& slots,
                       const FlatTree& names, size_t depth, std::string& lines) {
  lines += indent(depth);
  switch (node.kind) {
    case PatternNode::Kind::MetaVariable:
      lines += "MetaVar " + variable_text(node, slots) + "\n";
      return;
    case PatternNode::Kind::Terminal:
      if (node.named) lines += fmt::format("{} ", kind_name(names, node.symbol));
      lines += node.text + "\n";
      return;
    case PatternNode::Kind::Internal:
      lines += fmt::format("{}\n", kind_name(names, node.symbol));
      break;
  }
  // A pattern is parsed from at most kPatternBytesMax bytes under the parser's own bound on depth.
  for (const PatternNode& child : node.children) {
    add_pattern_lines(child, slots, names, depth + 1, lines);
  }
}

}  // namespace

Result<std::string> dump_query(const QueryDump& query) {
  const rules::Language* language = rules::find_language(query.language);
  if (language == nullptr) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("this build has no language '{}'", query.language), "--lang",
                 "tinyarms rules list --languages names those it has"};
  }
  const auto parsed = rules::SyntaxTree::parse(query.pattern, language->name);
  if (!parsed) {
    return Error{ErrorCode::OverBudget, "the pattern costs too much to parse", "--pattern",
                 "shorten it"};
  }
  FlatTree tree;
  tree.build(parsed->get(), query.pattern);
  if (query.format == "ast") return "Debug AST:\n" + tree_lines(tree, true);
  if (query.format == "cst") return "Debug CST:\n" + tree_lines(tree, false);
  if (query.format == "sexp") return "Debug Sexp:\n" + tree_expression(tree);

  rules::SlotTable slots;
  auto pattern = rules::Pattern::compile({.text = query.pattern, .selector = query.selector},
                                         *language, slots);
  if (!pattern) return pattern.error();
  std::string lines = "Debug Pattern:\n";
  add_pattern_lines(pattern->root(), slots, tree, 0, lines);
  return lines;
}

}  // namespace tinyarms::scan
