#include "rules/pattern.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/bounded_parse.h"
#include "rules/rule_set.h"

namespace tinyarms::rules {
namespace {

constexpr int kPatternDepthMax = 200;

bool is_first_byte(char c) { return (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_later_byte(char c) { return is_first_byte(c) || (c >= '0' && c <= '9'); }

bool is_name(std::string_view text) {
  return !text.empty() && is_first_byte(text.front()) &&
         std::all_of(text.begin(), text.end(), is_later_byte);
}

// `$` becomes the expando where it begins a metavariable.
std::string with_expando(std::string_view text, std::string_view expando) {
  if (expando == "$") return std::string(text);
  std::string out;
  size_t dollars = 0;
  const auto write_dollars = [&](bool variable) {
    for (; dollars > 0; --dollars) out.append(variable ? expando : "$");
  };
  for (const char c : text) {
    if (c == '$') {
      ++dollars;
      continue;
    }
    write_dollars(is_first_byte(c) || dollars == 3);
    out += c;
  }
  write_dollars(dollars == 3);
  return out;
}

Error wrong(std::string what) {
  return Error{ErrorCode::Config, "pattern: " + std::move(what), "",
               "`tinyarms rules scan --pattern … --debug-query` shows how a pattern is read"};
}

class Converter {
 public:
  Converter(const FlatTree& tree, std::string_view expando, SlotTable& slots)
      : tree_(tree), expando_(expando), slots_(slots) {}

  PatternNode convert(NodeIndex node, int depth) {
    PatternNode result;
    const std::string_view text = tree_.text(node);
    if (const auto variable = read_metavariable(text, expando_)) {
      result.kind = PatternNode::Kind::MetaVariable;
      result.variable = variable->kind;
      result.named = variable->named;
      if (!variable->name.empty()) {
        result.slot = slots_.slot(variable->name);
        has_variables = true;
      }
      return result;
    }
    result.symbol = tree_.symbol(node);
    result.named = tree_.is_named(node);
    if (tree_.child_count(node) == 0) {
      result.kind = PatternNode::Kind::Terminal;
      result.text = text;
      // Only of kinds that are so called is it sure that the lexer takes the longest word.
      result.identifier =
          std::string_view(tree_.kind(node)).find("identifier") != std::string_view::npos;
      return result;
    }
    if (depth >= kPatternDepthMax) {
      too_deep = true;
      return result;
    }
    for (NodeIndex child = tree_.first_child(node); child != kNoNode;
         child = tree_.next_sibling(child)) {
      if (!tree_.is_missing(child)) result.children.push_back(convert(child, depth + 1));
    }
    return result;
  }

  bool has_variables = false;
  bool too_deep = false;

 private:
  const FlatTree& tree_;
  std::string_view expando_;
  SlotTable& slots_;
};

// Some grammars put an empty or missing node behind the only one.
bool is_single(const FlatTree& tree, NodeIndex first, uint32_t children) {
  if (children == 1) return true;
  if (children != 2) return false;
  const NodeIndex second = tree.next_sibling(first);
  return tree.is_missing(second) || tree.kind(second)[0] == '\0';
}

// `start` is where the source begins, after the language's prelude.
Result<NodeIndex> find_root(const FlatTree& tree, size_t start, std::string_view source) {
  NodeIndex node = tree.first_child(0);
  uint32_t children = tree.child_count(0);
  while (node != kNoNode && tree.end(node) <= start && start > 0) {
    node = tree.next_sibling(node);
    --children;
  }
  if (node == kNoNode) return wrong(fmt::format("there is no code in `{}`", source));
  if (!is_single(tree, node, children)) {
    return wrong(fmt::format("`{}` is several nodes; a pattern is one: put it into a `context` and "
                             "name the `selector`", source));
  }
  while (is_single(tree, tree.first_child(node), tree.child_count(node))) {
    node = tree.first_child(node);
  }
  return node;
}

void collect_need(const PatternNode& node, LiteralNeed& need) {
  if (node.kind == PatternNode::Kind::Terminal && node.named) {
    need.add(LiteralNeed::of(node.text, node.identifier));
  }
  for (const PatternNode& child : node.children) collect_need(child, need);
}

}  // namespace

std::optional<Strictness> find_strictness(std::string_view name) {
  constexpr std::pair<std::string_view, Strictness> kNames[] = {
      {"cst", Strictness::Cst},         {"smart", Strictness::Smart},
      {"ast", Strictness::Ast},         {"relaxed", Strictness::Relaxed},
      {"signature", Strictness::Signature}, {"template", Strictness::Template}};
  for (const auto& [known, strictness] : kNames) {
    if (known == name) return strictness;
  }
  return std::nullopt;
}

std::optional<MetaVariable> read_metavariable(std::string_view text, std::string_view sigil) {
  size_t sigils = 0;
  while (sigils < 3 && text.substr(0, sigil.size()) == sigil) {
    text.remove_prefix(sigil.size());
    ++sigils;
  }
  MetaVariable variable;
  if (sigils == 0) return std::nullopt;
  if (sigils == 3) {
    variable.kind = MetaVariable::Kind::Multiple;
    if (text.empty()) return variable;
    if (!is_name(text)) return std::nullopt;
    if (text.front() == '_') return variable;
    variable.kind = MetaVariable::Kind::MultiCapture;
    variable.name = text;
    return variable;
  }
  // Where the sigil itself may be part of a name (`_` in CSS), one of them may be meant so.
  if (!is_name(text)) return std::nullopt;
  variable.named = sigils == 1;
  variable.kind = text.front() == '_' ? MetaVariable::Kind::Dropped : MetaVariable::Kind::Capture;
  if (variable.kind == MetaVariable::Kind::Capture) variable.name = text;
  return variable;
}

Result<Pattern> Pattern::compile(const PatternSource& source, const Language& language,
                                 SlotTable& slots) {
  if (source.text.size() > kPatternBytesMax) {
    return wrong(fmt::format("longer than {} bytes", kPatternBytesMax));
  }
  const std::string processed =
      std::string(language.prelude) + with_expando(source.text, language.expando);
  ParseArena arena;
  const TSTree* parsed = parse_bounded(processed, language.grammar(), arena);
  if (parsed == nullptr) return wrong("the parser gave up on it");
  FlatTree tree;
  tree.build(parsed, processed);

  Pattern pattern;
  pattern.strictness_ = source.strictness;
  NodeIndex root = kNoNode;
  if (source.selector.empty()) {
    const Result<NodeIndex> found = find_root(tree, language.prelude.size(), source.text);
    if (!found) return found.error();
    root = *found;
  } else {
    const uint16_t symbol = ts_language_symbol_for_name(
        language.grammar(), source.selector.data(),
        static_cast<uint32_t>(source.selector.size()), true);
    if (symbol == 0) {
      return wrong(fmt::format("{} has no kind `{}` to select", language.name, source.selector));
    }
    const FlatTree::Occurrences found = tree.occurrences(symbol);
    if (found.begin == found.end) {
      return wrong(fmt::format("the selector `{}` is nowhere in `{}`", source.selector,
                               source.text));
    }
    root = *found.begin;
    pattern.root_kind_ = symbol;
  }
  Converter converter(tree, language.expando, slots);
  pattern.root_ = converter.convert(root, 0);
  pattern.has_variables_ = converter.has_variables;
  if (converter.too_deep) return wrong("nested too deeply");
  if (pattern.root_.is_ellipsis()) {
    return wrong(fmt::format("`{}` alone stands for many nodes, and a pattern is one; use $VAR",
                             source.text));
  }
  return pattern;
}

std::optional<uint16_t> Pattern::kind() const {
  if (strictness_ == Strictness::Template) return std::nullopt;
  if (root_.kind == PatternNode::Kind::MetaVariable) return root_kind_;
  if (root_.kind == PatternNode::Kind::Internal && root_.symbol == kErrorSymbol) {
    return std::nullopt;
  }
  return root_.symbol;
}

bool Pattern::has_error() const {
  if (root_.kind == PatternNode::Kind::MetaVariable) return root_kind_ == kErrorSymbol;
  return root_.symbol == kErrorSymbol;
}

// Named terminals must be there letter by letter, whatever else is skipped.
LiteralNeed Pattern::need() const {
  LiteralNeed need;
  if (strictness_ != Strictness::Signature) collect_need(root_, need);
  return need;
}

}  // namespace tinyarms::rules
