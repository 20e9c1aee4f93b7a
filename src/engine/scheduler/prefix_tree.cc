#include "engine/scheduler/prefix_tree.h"

#include <algorithm>
#include <cassert>

namespace tinyarms::engine {

struct PrefixTree::Node {
  Node* parent = nullptr;
  size_t begin = 0;           // position of the first token
  std::vector<Token> tokens;  // empty in the root and in a branch that has just begun
  std::vector<std::unique_ptr<Node>> children;  // several may begin with the same token
  std::set<int> tails;        // the sequences that end here
};

PrefixTree::PrefixTree() : root_(std::make_unique<Node>()) {}
PrefixTree::~PrefixTree() = default;

size_t PrefixTree::end_of(const Node& node) { return node.begin + node.tokens.size(); }

PrefixTree::Match PrefixTree::match(std::span<const Token> tokens) const {
  Match best;
  for (const auto& child : root_->children) find(*child, tokens, best);
  return best;
}

void PrefixTree::find(const Node& node, std::span<const Token> tokens, Match& best) const {
  const std::span<const Token> rest = tokens.subspan(node.begin);
  const auto parted = std::mismatch(rest.begin(), rest.end(), node.tokens.begin(),
                                    node.tokens.end());
  const auto alike = static_cast<size_t>(parted.first - rest.begin());
  if (alike == 0 && !node.tokens.empty()) return;
  if (node.begin + alike > best.length) {
    const Node* below = &node;  // whoever ends at or below this node holds all of it
    while (below->tails.empty()) below = below->children.front().get();
    best = {*below->tails.begin(), node.begin + alike};
  }
  if (alike < node.tokens.size()) return;
  for (const auto& child : node.children) find(*child, tokens, best);
}

void PrefixTree::open(int sequence) {
  assert(!has(sequence));
  tails_[sequence] = root_.get();
  root_->tails.insert(sequence);
}

void PrefixTree::open(int sequence, int from, size_t length) {
  assert(!has(sequence) && has(from) && length <= this->length(from));
  Node* node = tails_.at(from);
  while (node->parent != nullptr && node->begin >= length) node = node->parent;
  if (end_of(*node) > length) node = split(node, length);
  tails_[sequence] = node;
  node->tails.insert(sequence);
}

// Cuts a node in two at that position; returns the front part, which is new. Whoever ended at the
// node still does.
PrefixTree::Node* PrefixTree::split(Node* node, size_t length) {
  const auto at = static_cast<std::ptrdiff_t>(length - node->begin);
  auto front = std::make_unique<Node>();
  front->parent = node->parent;
  front->begin = node->begin;
  front->tokens.assign(node->tokens.begin(), node->tokens.begin() + at);
  node->tokens.erase(node->tokens.begin(), node->tokens.begin() + at);
  node->begin = length;
  auto& siblings = node->parent->children;
  const auto place = std::find_if(siblings.begin(), siblings.end(),
                                  [&](const auto& child) { return child.get() == node; });
  node->parent = front.get();
  front->children.push_back(std::move(*place));
  *place = std::move(front);
  return place->get();
}

PrefixTree::Node* PrefixTree::add_child(Node* parent) {
  auto child = std::make_unique<Node>();
  child->parent = parent;
  child->begin = end_of(*parent);
  parent->children.push_back(std::move(child));
  return parent->children.back().get();
}

void PrefixTree::move_tail(int sequence, Node* to) {
  Node*& tail = tails_.at(sequence);
  tail->tails.erase(sequence);
  to->tails.insert(sequence);
  tail = to;
}

void PrefixTree::append(int sequence, std::span<const Token> tokens) {
  if (tokens.empty()) return;
  Node* tail = tails_.at(sequence);
  const bool alone = tail != root_.get() && tail->tails.size() == 1 && tail->children.empty();
  if (!alone) {
    Node* child = add_child(tail);
    move_tail(sequence, child);
    tail = child;
  }
  tail->tokens.insert(tail->tokens.end(), tokens.begin(), tokens.end());
  cells_ += tokens.size();
}

void PrefixTree::truncate(int sequence, size_t length) {
  Node* const tail = tails_.at(sequence);
  if (end_of(*tail) <= length) return;
  Node* node = tail;
  while (node->parent != nullptr && node->begin >= length) node = node->parent;
  if (end_of(*node) > length) node = split(node, length);
  move_tail(sequence, node);
  prune(tail);
}

void PrefixTree::close(int sequence) {
  Node* tail = tails_.at(sequence);
  tail->tails.erase(sequence);
  tails_.erase(sequence);
  prune(tail);
}

// Removes what nobody holds any longer, from a node upwards.
void PrefixTree::prune(Node* node) {
  while (node->parent != nullptr && node->tails.empty() && node->children.empty()) {
    Node* parent = node->parent;
    cells_ -= node->tokens.size();
    std::erase_if(parent->children, [&](const auto& child) { return child.get() == node; });
    node = parent;
  }
}

size_t PrefixTree::length(int sequence) const { return end_of(*tails_.at(sequence)); }

std::vector<PrefixTree::Token> PrefixTree::tokens(int sequence) const {
  const Node* node = tails_.at(sequence);
  std::vector<Token> all(end_of(*node));
  for (; node->parent != nullptr; node = node->parent) {
    std::copy(node->tokens.begin(), node->tokens.end(),
              all.begin() + static_cast<std::ptrdiff_t>(node->begin));
  }
  return all;
}

size_t PrefixTree::own_cells(int sequence) const {
  const Node* node = tails_.at(sequence);
  size_t own = 0;
  for (size_t counted = 1; node->parent != nullptr; node = node->parent) {
    // This sequence itself is one of the tails, and further up one of the children.
    if (node->tails.size() + node->children.size() > counted) break;
    own += node->tokens.size();
  }
  return own;
}

}  // namespace tinyarms::engine
