#include "rules/syntax_tree.h"

#include <algorithm>

#include "rules/bounded_parse.h"
#include "rules/code.h"
#include "rules/json_token.h"

extern "C" {
const TSLanguage* tree_sitter_bash();
const TSLanguage* tree_sitter_c();
const TSLanguage* tree_sitter_cpp();
const TSLanguage* tree_sitter_go();
const TSLanguage* tree_sitter_java();
const TSLanguage* tree_sitter_javascript();
const TSLanguage* tree_sitter_json();
const TSLanguage* tree_sitter_python();
const TSLanguage* tree_sitter_rust();
}

namespace tinyarms::rules {
namespace {

struct Grammar {
  std::string_view language;
  const TSLanguage* (*create)();
};

constexpr Grammar kGrammars[] = {
    {"bash", tree_sitter_bash}, {"c", tree_sitter_c},
    {"cpp", tree_sitter_cpp},   {"go", tree_sitter_go},
    {"java", tree_sitter_java}, {"javascript", tree_sitter_javascript},
    {"json", tree_sitter_json}, {"python", tree_sitter_python},
    {"rust", tree_sitter_rust},
};
static_assert(std::size(kGrammars) == kLanguages.size());

}  // namespace

const TSLanguage* find_grammar(std::string_view language) {
  for (const Grammar& grammar : kGrammars) {
    if (grammar.language == language) return grammar.create();
  }
  return nullptr;
}

bool TreeWalk::next() {
  if (ts_tree_cursor_goto_first_child(&cursor_)) return true;
  do {
    if (ts_tree_cursor_goto_next_sibling(&cursor_)) return true;
  } while (ts_tree_cursor_goto_parent(&cursor_));
  return false;
}

std::optional<SyntaxTree> SyntaxTree::parse(std::string_view code, std::string_view language) {
  const auto* known = std::find(kLanguages.begin(), kLanguages.end(), language);
  if (known == kLanguages.end() || code.size() > kCodeBytesMax) return std::nullopt;
  std::unique_ptr<TSTree, Deleter> tree(parse_bounded(code, find_grammar(language)));
  if (!tree) return std::nullopt;
  return SyntaxTree(std::move(tree), code, *known);
}

std::string_view SyntaxTree::text(TSNode node) const {
  const size_t start = std::min<size_t>(ts_node_start_byte(node), code_.size());
  const size_t end = std::min<size_t>(ts_node_end_byte(node), code_.size());
  return code_.substr(start, end - start);
}

// What a grammar lets pass although the language does not.
bool SyntaxTree::breaks_language(TSNode node) const {
  const std::string_view kind = ts_node_type(node);
  if (language_ == "python") {
    if (kind == "print_statement" || kind == "exec_statement") return true;
    return kind == "block" && ts_node_named_child_count(node) == 0;
  }
  if (language_ == "json") {
    if (kind == "comment") return true;
    if (kind == "document") return ts_node_named_child_count(node) != 1;
    if (kind == "number") return !is_json_number(text(node));
    if (kind == "string") return !is_json_string(text(node));
  }
  return false;
}

std::optional<CodePosition> SyntaxTree::first_error() const {
  const bool strict = language_ == "python" || language_ == "json";
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
