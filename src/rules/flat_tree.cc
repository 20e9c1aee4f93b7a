#include "rules/flat_tree.h"

#include <algorithm>

namespace tinyarms::rules {

void FlatTree::learn(const TSLanguage* grammar) {
  if (grammar_ == grammar) return;
  grammar_ = grammar;
  symbol_count_ = static_cast<uint16_t>(ts_language_symbol_count(grammar));
  named_.assign(symbol_count_ + 1u, true);  // ERROR is named
  for (uint16_t symbol = 0; symbol < symbol_count_; ++symbol) {
    named_[symbol] = ts_language_symbol_type(grammar, symbol) == TSSymbolTypeRegular;
  }
}

void FlatTree::append(TSNode node, NodeIndex parent, NodeIndex previous) {
  const auto size = static_cast<uint32_t>(text_.size());
  Node flat;
  flat.start = std::min(ts_node_start_byte(node), size);
  flat.end = std::max(flat.start, std::min(ts_node_end_byte(node), size));
  flat.parent = parent;
  flat.subtree_end = 0;
  flat.previous = previous;
  flat.children = 0;
  flat.symbol = ts_node_symbol(node);
  flat.symbol_index = std::min(flat.symbol, symbol_count_);
  if (parent != kNoNode) ++nodes_[parent].children;
  nodes_.push_back(flat);
  handles_.push_back(node);
}

void FlatTree::build(const TSTree* tree, std::string_view text) {
  learn(ts_tree_language(tree));
  text_ = text;
  nodes_.clear();
  handles_.clear();
  listed_ = false;

  const TSNode root = ts_tree_root_node(tree);
  TSTreeCursor cursor = ts_tree_cursor_new(root);
  append(root, kNoNode, kNoNode);
  NodeIndex here = 0;
  for (;;) {
    if (ts_tree_cursor_goto_first_child(&cursor)) {
      const NodeIndex parent = here;
      here = size();
      append(ts_tree_cursor_current_node(&cursor), parent, kNoNode);
      continue;
    }
    nodes_[here].subtree_end = size();
    while (!ts_tree_cursor_goto_next_sibling(&cursor)) {
      here = nodes_[here].parent;
      if (here == kNoNode || !ts_tree_cursor_goto_parent(&cursor)) {
        ts_tree_cursor_delete(&cursor);
        return;
      }
      nodes_[here].subtree_end = size();
    }
    const NodeIndex previous = here;
    here = size();
    append(ts_tree_cursor_current_node(&cursor), nodes_[previous].parent, previous);
  }
}

bool FlatTree::is_named_leaf(NodeIndex node) const {
  for (NodeIndex child = first_child(node); child != kNoNode; child = next_sibling(child)) {
    if (is_named(child)) return false;
  }
  return true;
}

NodeIndex FlatTree::child_by_field(NodeIndex node, uint16_t field) const {
  const TSNode found = ts_node_child_by_field_id(handles_[node], field);
  if (ts_node_is_null(found)) return kNoNode;
  for (NodeIndex child = first_child(node); child != kNoNode; child = next_sibling(child)) {
    if (handles_[child].id == found.id) return child;
  }
  return kNoNode;
}

void FlatTree::list_occurrences() const {
  list_starts_.assign(symbol_count_ + 2u, 0);
  for (const Node& node : nodes_) ++list_starts_[node.symbol_index + 1u];
  for (size_t i = 1; i < list_starts_.size(); ++i) list_starts_[i] += list_starts_[i - 1];
  listed_nodes_.resize(nodes_.size());
  std::vector<uint32_t> next(list_starts_.begin(), list_starts_.end() - 1);
  for (NodeIndex node = 0; node < size(); ++node) {
    listed_nodes_[next[nodes_[node].symbol_index]++] = node;
  }
  listed_ = true;
}

FlatTree::Occurrences FlatTree::occurrences(uint16_t symbol) const {
  if (!listed_) list_occurrences();
  const uint16_t index = std::min(symbol, symbol_count_);
  return {listed_nodes_.data() + list_starts_[index],
          listed_nodes_.data() + list_starts_[index + 1u]};
}

}  // namespace tinyarms::rules
