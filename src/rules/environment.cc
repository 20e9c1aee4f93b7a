#include "rules/environment.h"

namespace tinyarms::rules {

Slot SlotTable::slot(std::string_view name) {
  if (const std::optional<Slot> known = find(name)) return *known;
  names_.emplace_back(name);
  return static_cast<Slot>(names_.size() - 1);
}

std::optional<Slot> SlotTable::find(std::string_view name) const {
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == name) return static_cast<Slot>(i);
  }
  return std::nullopt;
}

void Environment::reset(size_t slots) {
  singles_.assign(slots, kNoNode);
  lists_.assign(slots, {});
  transformed_.assign(slots, std::nullopt);
  pool_.clear();
  trail_.clear();
  labels_.clear();
}

void Environment::undo(Mark mark) {
  while (trail_.size() > mark.trail) {
    const Change& change = trail_.back();
    if (change.is_list) {
      lists_[change.slot] = change.list;
    } else {
      singles_[change.slot] = change.single;
    }
    trail_.pop_back();
  }
  labels_.resize(mark.labels);
}

bool Environment::bind(const FlatTree& tree, Slot slot, NodeIndex node) {
  const NodeIndex old = singles_[slot];
  if (old != kNoNode && !is_same_code(tree, old, node)) return false;
  trail_.push_back({slot, false, old, {}});
  singles_[slot] = node;
  return true;
}

bool Environment::bind_list(const FlatTree& tree, Slot slot, std::span<const NodeIndex> nodes) {
  const List old = lists_[slot];
  if (old.set) {
    size_t mine = 0;
    size_t theirs = 0;
    const std::span<const NodeIndex> bound = list(slot);
    for (;;) {
      while (mine < bound.size() && !tree.is_named(bound[mine])) ++mine;
      while (theirs < nodes.size() && !tree.is_named(nodes[theirs])) ++theirs;
      if (mine == bound.size() || theirs == nodes.size()) break;
      if (!is_same_code(tree, bound[mine++], nodes[theirs++])) return false;
    }
    if (mine != bound.size() || theirs != nodes.size()) return false;
  }
  trail_.push_back({slot, true, kNoNode, old});
  lists_[slot] = {static_cast<uint32_t>(pool_.size()), static_cast<uint32_t>(nodes.size()), true};
  pool_.insert(pool_.end(), nodes.begin(), nodes.end());
  return true;
}

bool is_same_code(const FlatTree& tree, NodeIndex left, NodeIndex right) {
  const NodeIndex end = tree.subtree_end(left);
  NodeIndex l = left;
  NodeIndex r = right;
  // In step: subtrees that are equal in shape are equally long.
  while (l < end) {
    if (l == r) {
      l = tree.subtree_end(l);
      r = tree.subtree_end(r);
    } else if (tree.is_named_leaf(l) || tree.is_named_leaf(r)) {
      if (tree.text(l) != tree.text(r)) return false;
      l = tree.subtree_end(l);
      r = tree.subtree_end(r);
    } else {
      if (tree.symbol(l) != tree.symbol(r) || tree.child_count(l) != tree.child_count(r)) {
        return false;
      }
      ++l;
      ++r;
    }
  }
  return true;
}

}  // namespace tinyarms::rules
