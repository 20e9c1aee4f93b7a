// A syntax tree laid out flat: its visible nodes in document order (pre-order) in one array, so
// that parents, siblings and whole subtrees are index arithmetic. Built once a parse by one walk
// of a cursor; the memory is reused from tree to tree.
#pragma once

#include <tree_sitter/api.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace tinyarms::rules {

// An index into a FlatTree. The root is 0.
using NodeIndex = uint32_t;
inline constexpr NodeIndex kNoNode = UINT32_MAX;

// tree-sitter's own number of the kind ERROR.
inline constexpr uint16_t kErrorSymbol = UINT16_MAX;

class FlatTree {
 public:
  // `tree` and `text` must outlive the use of what is built.
  void build(const TSTree* tree, std::string_view text);

  uint32_t size() const { return static_cast<uint32_t>(nodes_.size()); }
  std::string_view text() const { return text_; }
  const TSLanguage* grammar() const { return grammar_; }

  uint16_t symbol(NodeIndex node) const { return nodes_[node].symbol; }
  uint32_t start(NodeIndex node) const { return nodes_[node].start; }
  uint32_t end(NodeIndex node) const { return nodes_[node].end; }
  std::string_view text(NodeIndex node) const {
    return text_.substr(nodes_[node].start, nodes_[node].end - nodes_[node].start);
  }
  const char* kind(NodeIndex node) const { return ts_node_type(handles_[node]); }

  NodeIndex parent(NodeIndex node) const { return nodes_[node].parent; }
  // One past the last node of the subtree.
  NodeIndex subtree_end(NodeIndex node) const { return nodes_[node].subtree_end; }
  uint32_t child_count(NodeIndex node) const { return nodes_[node].children; }
  NodeIndex first_child(NodeIndex node) const {
    return nodes_[node].children > 0 ? node + 1 : kNoNode;
  }
  NodeIndex next_sibling(NodeIndex node) const {
    const Node& here = nodes_[node];
    if (here.parent == kNoNode) return kNoNode;
    return here.subtree_end < nodes_[here.parent].subtree_end ? here.subtree_end : kNoNode;
  }
  NodeIndex previous_sibling(NodeIndex node) const { return nodes_[node].previous; }
  // tree-sitter's first child with the field, kNoNode where there is none.
  NodeIndex child_by_field(NodeIndex node, uint16_t field) const;

  bool is_named(NodeIndex node) const { return named_[nodes_[node].symbol_index]; }
  bool is_named_leaf(NodeIndex node) const;  // has no named child
  bool is_extra(NodeIndex node) const { return ts_node_is_extra(handles_[node]); }
  bool is_missing(NodeIndex node) const { return ts_node_is_missing(handles_[node]); }

  // The nodes of a kind in document order. Lists of all kinds are made at the first call.
  struct Occurrences {
    const NodeIndex* begin;
    const NodeIndex* end;
  };
  Occurrences occurrences(uint16_t symbol) const;

  TSNode handle(NodeIndex node) const { return handles_[node]; }

 private:
  struct Node {
    uint32_t start;
    uint32_t end;
    NodeIndex parent;
    NodeIndex subtree_end;
    NodeIndex previous;
    uint32_t children;
    uint16_t symbol;
    uint16_t symbol_index;  // ERROR comes after the grammar's own
  };

  void learn(const TSLanguage* grammar);
  void append(TSNode node, NodeIndex parent, NodeIndex previous);
  void list_occurrences() const;

  std::string_view text_;
  const TSLanguage* grammar_ = nullptr;
  uint16_t symbol_count_ = 0;
  std::vector<bool> named_;  // by symbol index
  std::vector<Node> nodes_;
  std::vector<TSNode> handles_;
  mutable bool listed_ = false;
  mutable std::vector<NodeIndex> listed_nodes_;  // grouped by symbol index
  mutable std::vector<uint32_t> list_starts_;
};

}  // namespace tinyarms::rules
