// Matchers run over one flat tree. What it costs is counted in steps: at zero everything fails,
// and exhausted() tells that the verdicts since then mean nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "rules/environment.h"
#include "rules/matcher.h"
#include "rules/text_index.h"

namespace tinyarms::rules {

// Remembered verdicts of pure matchers, by their number and the node. Cleared from tree to tree.
class Memo {
 public:
  // kUnknown where nothing is remembered.
  static constexpr NodeIndex kUnknown = kNoNode - 1;
  NodeIndex find(int matcher, NodeIndex node) const;
  void remember(int matcher, NodeIndex node, NodeIndex verdict);
  void clear();

 private:
  struct Entry {
    uint64_t key = UINT64_MAX;
    NodeIndex verdict = 0;
  };
  static size_t hash(uint64_t key) {
    return static_cast<size_t>((key * 0x9E3779B97F4A7C15ull) >> 20);
  }
  void grow();

  std::vector<Entry> table_;
  size_t used_ = 0;
};

class Evaluator {
 public:
  Evaluator(const FlatTree& tree, Memo& memo, uint64_t steps)
      : tree_(tree), memo_(memo), steps_(steps) {}

  // The node that matched, which a relation as the only part of a rule makes another than `node`;
  // kNoNode where it does not match, and then nothing stays bound.
  NodeIndex match(const Matcher& matcher, NodeIndex node, Environment& env);

  // With labels, relational matches are noted in the environment; without, verdicts may come from
  // the memo.
  void collect_labels(bool wanted) { labels_ = wanted; }

  // Rewriters may call each other and themselves; false, and all is over, where it goes too deep.
  bool enter_rewriter();
  void leave_rewriter() { --rewriters_; }

  bool exhausted() const { return steps_ == 0; }
  uint64_t& steps() { return steps_; }
  const FlatTree& tree() const { return tree_; }
  const TextIndex& index();  // of the tree's text

  // The node that a relation of this kind finds from `node` (FixConfig's expansion).
  NodeIndex find_sibling(const StopBy& stop_by, const Matcher& matcher, NodeIndex node,
                         bool forward, Environment& env);
  // Whether the constraints hold on what is bound.
  bool hold(const std::vector<std::pair<Slot, Matcher>>& constraints, Environment& env);

 private:
  // Arguments of the call that is being evaluated.
  struct Frame {
    const std::map<std::string, Matcher>* arguments;
    Environment* exports;
    const Frame* outer;
  };
  class FreshEnvironment;

  NodeIndex evaluate(const Matcher& matcher, NodeIndex node, Environment& env);
  bool all(const Matcher& matcher, NodeIndex node, Environment& env);
  NodeIndex inside(const Matcher& matcher, NodeIndex node, Environment& env);
  NodeIndex has(const Matcher& matcher, NodeIndex node, Environment& env);
  NodeIndex has_until(const Matcher& matcher, NodeIndex node, Environment& env);
  NodeIndex find_below(const Matcher& inner, NodeIndex first, NodeIndex end, Environment& env);
  NodeIndex nth_child(const Matcher& matcher, NodeIndex node, Environment& env);
  bool in_range(const NodeRange& range, NodeIndex node);
  NodeIndex utility(const Matcher& matcher, NodeIndex node, Environment& env);
  NodeIndex call(const Matcher& matcher, NodeIndex node, Environment& env);
  NodeIndex param(const Matcher& matcher, NodeIndex node, Environment& env);
  NodeIndex global(const Utility& utility, NodeIndex node);
  bool stops(const Matcher& rule, NodeIndex node, Environment& env);
  bool take_step(uint64_t count = 1);

  const FlatTree& tree_;
  Memo& memo_;
  uint64_t steps_;
  std::optional<TextIndex> index_;  // made when a position is first asked for
  bool labels_ = false;
  int depth_ = 0;
  int rewriters_ = 0;
  const Frame* frame_ = nullptr;
  std::deque<Environment> spare_;  // environments of utilities, one a level
  size_t spare_used_ = 0;
};

}  // namespace tinyarms::rules
