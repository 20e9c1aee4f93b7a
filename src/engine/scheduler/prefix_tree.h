// Which tokens the sequences of a context hold, and which cells they share: a radix tree over
// tokens. It mirrors the context's memory cell by cell: a sequence that was begun as a copy of
// another's prefix shares that prefix's cells, one that computed the same tokens anew does not,
// and stands as a branch of its own. Not thread-safe; knows nothing of libllama.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace tinyarms::engine {

class PrefixTree {
 public:
  using Token = int32_t;

  PrefixTree();
  ~PrefixTree();

  struct Match {
    int sequence = -1;  // one that holds these tokens; -1 where no token matches
    size_t length = 0;
  };
  // The longest prefix of `tokens` that some sequence holds.
  Match match(std::span<const Token> tokens) const;

  // A new sequence; the second form shares the first `length` tokens of another.
  void open(int sequence);
  void open(int sequence, int from, size_t length);
  void append(int sequence, std::span<const Token> tokens);
  void truncate(int sequence, size_t length);
  void close(int sequence);

  size_t length(int sequence) const;
  std::vector<Token> tokens(int sequence) const;
  // Cells in use by all sequences together, and those that closing this one would free.
  size_t cells() const { return cells_; }
  size_t own_cells(int sequence) const;
  bool has(int sequence) const { return tails_.contains(sequence); }
  size_t sequences() const { return tails_.size(); }

 private:
  struct Node;

  static size_t end_of(const Node& node);
  Node* split(Node* node, size_t length);
  Node* add_child(Node* parent);
  void move_tail(int sequence, Node* to);
  void prune(Node* node);
  void find(const Node& node, std::span<const Token> tokens, Match& best) const;

  std::unique_ptr<Node> root_;
  std::map<int, Node*> tails_;  // where each sequence ends; always the end of that node
  size_t cells_ = 0;
};

}  // namespace tinyarms::engine
