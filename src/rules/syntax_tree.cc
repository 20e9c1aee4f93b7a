#include "rules/syntax_tree.h"

#include <algorithm>

#include "rules/bounded_parse.h"
#include "rules/code.h"
#include "rules/json_token.h"

namespace tinyarms::rules {

bool TreeWalk::next() {
  if (ts_tree_cursor_goto_first_child(&cursor_)) return true;
  do {
    if (ts_tree_cursor_goto_next_sibling(&cursor_)) return true;
  } while (ts_tree_cursor_goto_parent(&cursor_));
  return false;
}

std::optional<SyntaxTree> SyntaxTree::parse(std::string_view code, std::string_view language) {
  const Language* known = find_language(language);
  if (known == nullptr || code.size() > kCodeBytesMax) return std::nullopt;
  auto arena = std::make_unique<ParseArena>();
  const TSTree* tree = parse_bounded(code, known->grammar(), *arena);
  if (tree == nullptr) return std::nullopt;
  return SyntaxTree(std::move(arena), tree, code, *known);
}

std::string_view SyntaxTree::text(TSNode node) const {
  const size_t start = std::min<size_t>(ts_node_start_byte(node), code_.size());
  const size_t end = std::min<size_t>(ts_node_end_byte(node), code_.size());
  return code_.substr(start, end - start);
}

// What a grammar lets pass although the language does not.
bool SyntaxTree::breaks_language(TSNode node) const {
  const std::string_view kind = ts_node_type(node);
  if (language_->name == "python") {
    if (kind == "print_statement" || kind == "exec_statement") return true;
    return kind == "block" && ts_node_named_child_count(node) == 0;
  }
  if (language_->name == "json") {
    if (kind == "comment") return true;
    if (kind == "document") return ts_node_named_child_count(node) != 1;
    if (kind == "number") return !is_json_number(text(node));
    if (kind == "string") return !is_json_string(text(node));
  }
  return false;
}

std::optional<CodePosition> SyntaxTree::first_error() const {
  const bool strict = language_->name == "python" || language_->name == "json";
  if (!strict && !ts_node_has_error(root())) return std::nullopt;
  TreeWalk walk(root());
  do {
    const TSNode node = walk.node();
    if (ts_node_is_error(node) || ts_node_is_missing(node) || (strict && breaks_language(node))) {
      const TSPoint point = ts_node_start_point(node);
      return CodePosition{point.row + 1, point.column + 1};
    }
  } while (walk.next());
  return std::nullopt;
}

}  // namespace tinyarms::rules
