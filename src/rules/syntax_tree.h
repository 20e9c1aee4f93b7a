// A parsed piece of code: tree-sitter's tree with its owner, and the verdict on it.
#pragma once

#include <tree_sitter/api.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "rules/language.h"
#include "rules/parse_arena.h"

namespace tinyarms::rules {

// One-based, columns in bytes, as compilers print them.
struct CodePosition {
  uint32_t line = 1;
  uint32_t column = 1;
};

class SyntaxTree {
 public:
  // Nothing where there is no grammar for `language`, the code is larger than kCodeBytesMax, or
  // the parser used up its steps (which grow with the code, so the verdict never depends on how
  // busy the machine is). `code` must outlive the tree.
  static std::optional<SyntaxTree> parse(std::string_view code, std::string_view language);

  const TSTree* get() const { return tree_; }
  TSNode root() const { return ts_tree_root_node(tree_); }
  std::string_view code() const { return code_; }
  const Language& language() const { return *language_; }
  std::string_view text(TSNode node) const;

  // The first place where the code is not well formed (see parses()), nothing where it is.
  std::optional<CodePosition> first_error() const;

 private:
  SyntaxTree(std::unique_ptr<ParseArena> arena, const TSTree* tree, std::string_view code,
             const Language& language)
      : arena_(std::move(arena)), tree_(tree), code_(code), language_(&language) {}

  bool breaks_language(TSNode node) const;

  std::unique_ptr<ParseArena> arena_;  // holds the tree
  const TSTree* tree_;
  std::string_view code_;
  const Language* language_;
};

// Pre-order walk over a tree without recursion, so that depth costs heap and not stack.
class TreeWalk {
 public:
  explicit TreeWalk(TSNode root) : cursor_(ts_tree_cursor_new(root)) {}
  ~TreeWalk() { ts_tree_cursor_delete(&cursor_); }
  TreeWalk(const TreeWalk&) = delete;
  TreeWalk& operator=(const TreeWalk&) = delete;

  TSNode node() const { return ts_tree_cursor_current_node(&cursor_); }
  // The next node in document order; false at the end.
  bool next();
  // Steps by hand; false where there is none, and the walk stays put then.
  bool first_child() { return ts_tree_cursor_goto_first_child(&cursor_); }
  bool next_sibling() { return ts_tree_cursor_goto_next_sibling(&cursor_); }

 private:
  TSTreeCursor cursor_;
};

}  // namespace tinyarms::rules
