// What the metavariables of a rule stand for while it is being matched. Names are slots, given out
// when the rule is compiled. A failed attempt is undone by going back to a mark, which costs only
// what the attempt had bound.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rules/flat_tree.h"

namespace tinyarms::rules {

using Slot = uint16_t;

// The names of one rule's metavariables; the index is the slot.
class SlotTable {
 public:
  Slot slot(std::string_view name);
  std::optional<Slot> find(std::string_view name) const;
  const std::string& name(Slot slot) const { return names_[slot]; }
  size_t size() const { return names_.size(); }

 private:
  std::vector<std::string> names_;
};

class Environment {
 public:
  struct Mark {
    size_t trail;
    size_t labels;
  };

  void reset(size_t slots);
  Mark mark() const { return {trail_.size(), labels_.size()}; }
  void undo(Mark mark);

  // False, and nothing is bound, where the slot has a value that is not the same code.
  bool bind(const FlatTree& tree, Slot slot, NodeIndex node);
  bool bind_list(const FlatTree& tree, Slot slot, std::span<const NodeIndex> nodes);
  void set_transformed(Slot slot, std::string text) { transformed_[slot] = std::move(text); }

  NodeIndex single(Slot slot) const { return singles_[slot]; }
  bool has_list(Slot slot) const { return lists_[slot].set; }
  std::span<const NodeIndex> list(Slot slot) const {
    return {pool_.data() + lists_[slot].start, lists_[slot].count};
  }
  const std::string* transformed(Slot slot) const {
    return transformed_[slot] ? &*transformed_[slot] : nullptr;
  }
  size_t slots() const { return singles_.size(); }

  // Nodes that relational rules found, in order: ast-grep's secondary labels.
  void add_label(NodeIndex node) { labels_.push_back(node); }
  std::span<const NodeIndex> labels() const { return labels_; }

 private:
  struct List {
    uint32_t start = 0;
    uint32_t count = 0;
    bool set = false;
  };
  struct Change {
    Slot slot;
    bool is_list;
    NodeIndex single;
    List list;
  };

  std::vector<NodeIndex> singles_;
  std::vector<List> lists_;
  std::vector<std::optional<std::string>> transformed_;
  std::vector<NodeIndex> pool_;  // of lists
  std::vector<Change> trail_;    // what was there before
  std::vector<NodeIndex> labels_;
};

// The same code up to white space: equal kinds all the way down, equal texts at the leaves.
bool is_same_code(const FlatTree& tree, NodeIndex left, NodeIndex right);

}  // namespace tinyarms::rules
