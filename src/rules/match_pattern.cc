// The matching of patterns: the pattern's nodes and the code's children walked side by side.
#include <algorithm>

#include "rules/pattern.h"

namespace tinyarms::rules {
namespace {

enum class Step { Both, SkipBoth, SkipGoal, SkipCandidate, None };

// Where the walk through the children of one node stands.
struct Walk {
  const PatternNode* goal;
  const PatternNode* goals_end;
  NodeIndex candidate;  // kNoNode: no more

  bool goals_done() const { return goal == goals_end; }
};

enum class Flow { Failed, Done, Again, Fallthrough };

class PatternRun {
 public:
  // Without an environment only the end of the match is looked for: variables take anything.
  PatternRun(const FlatTree& tree, Strictness strictness, Environment* env, uint64_t& steps)
      : tree_(tree), strictness_(strictness), env_(env), steps_(steps) {}

  Step match_root(const PatternNode& goal, NodeIndex node) {
    // A variable alone is the node itself, be it a comment.
    if (goal.kind == PatternNode::Kind::MetaVariable && strictness_ == Strictness::Smart) {
      return bind(goal, node) ? Step::Both : Step::None;
    }
    return match(goal, node);
  }

  uint32_t end() const { return end_; }

 private:
  Step match(const PatternNode& goal, NodeIndex node) {
    if (steps_ == 0) return Step::None;
    --steps_;
    switch (goal.kind) {
      case PatternNode::Kind::Terminal:
        return match_terminal(goal, node);
      case PatternNode::Kind::MetaVariable:
        if (skips_comments() && tree_.is_extra(node)) return Step::SkipCandidate;
        return bind(goal, node) ? Step::Both : Step::None;
      case PatternNode::Kind::Internal:
        if (strictness_ != Strictness::Template && !same_kind(goal.symbol, node)) {
          return Step::None;
        }
        return match_children(goal, node) ? Step::Both : Step::None;
    }
    return Step::None;
  }

  bool same_kind(uint16_t goal, NodeIndex node) const {
    return goal == tree_.symbol(node) || goal == kErrorSymbol;
  }

  bool skips_comments() const {
    return strictness_ != Strictness::Cst && strictness_ != Strictness::Ast;
  }

  Step match_terminal(const PatternNode& goal, NodeIndex node) {
    const bool kinds_match = same_kind(goal.symbol, node);
    if (kinds_match && (!goal.named || goal.text == tree_.text(node))) return matched(node);
    if (skips_comments() && tree_.is_extra(node)) return Step::SkipCandidate;
    if (strictness_ == Strictness::Signature && kinds_match) return matched(node);
    if (strictness_ == Strictness::Template && goal.text == tree_.text(node)) return matched(node);
    const bool node_is_trivial = !tree_.is_named(node);
    bool skip_goal = false;
    bool skip_candidate = node_is_trivial;
    switch (strictness_) {
      case Strictness::Cst:
        skip_candidate = false;
        break;
      case Strictness::Smart:
      case Strictness::Template:
        break;
      case Strictness::Ast:
      case Strictness::Relaxed:
      case Strictness::Signature:
        skip_goal = !goal.named;
        break;
    }
    if (skip_goal) return skip_candidate ? Step::SkipBoth : Step::SkipGoal;
    return skip_candidate ? Step::SkipCandidate : Step::None;
  }

  Step matched(NodeIndex node) {
    end_ = tree_.end(node);
    return Step::Both;
  }

  bool bind(const PatternNode& goal, NodeIndex node) {
    end_ = tree_.end(node);
    if (env_ == nullptr) return true;
    switch (goal.variable) {
      case MetaVariable::Kind::Capture:
        return (!goal.named || tree_.is_named(node)) && env_->bind(tree_, goal.slot, node);
      case MetaVariable::Kind::Dropped:
        return !goal.named || tree_.is_named(node);
      case MetaVariable::Kind::Multiple:
        return true;
      case MetaVariable::Kind::MultiCapture:
        return env_->bind_list(tree_, goal.slot, {&node, 1});
    }
    return false;
  }

  bool match_children(const PatternNode& goal, NodeIndex node) {
    Walk walk{goal.children.data(), goal.children.data() + goal.children.size(),
              tree_.first_child(node)};
    if (walk.candidate == kNoNode) return false;
    for (;;) {
      const Flow ellipsis = match_ellipsis(walk);
      if (ellipsis == Flow::Failed) return false;
      if (ellipsis == Flow::Done) return true;
      if (ellipsis == Flow::Again) continue;
      if (!match_one(walk)) return false;
      if (!walk.goals_done()) {
        ++walk.goal;
        advance(walk);
      }
      if (walk.goals_done()) return only_trivial_left(walk.candidate);
      if (walk.candidate == kNoNode) return false;
    }
  }

  void advance(Walk& walk) const {
    if (walk.candidate != kNoNode) walk.candidate = tree_.next_sibling(walk.candidate);
  }

  bool only_trivial_left(NodeIndex node) const {
    for (; node != kNoNode; node = tree_.next_sibling(node)) {
      if (!may_trail(node)) return false;
    }
    return true;
  }

  bool may_trail(NodeIndex node) const {
    switch (strictness_) {
      case Strictness::Cst:
        return false;
      case Strictness::Smart:
        return true;
      case Strictness::Ast:
        return !tree_.is_named(node);
      case Strictness::Relaxed:
      case Strictness::Signature:
        return !tree_.is_named(node) || tree_.is_extra(node);
      case Strictness::Template:
        return tree_.is_extra(node);
    }
    return false;
  }

  // An ellipsis takes nodes up to the one that the next goal matches.
  Flow match_ellipsis(Walk& walk) {
    if (walk.goals_done()) return Flow::Done;
    if (!walk.goal->is_ellipsis()) return Flow::Fallthrough;
    const PatternNode& ellipsis = *walk.goal++;
    const NodeIndex first = walk.candidate;
    size_t dropped = 0;
    while (!walk.goals_done() && walk.goal->is_unnamed_terminal()) {
      ++walk.goal;
      ++dropped;
    }
    if (walk.goals_done()) {
      return take(ellipsis, first, kNoNode, dropped) ? Flow::Done : Flow::Failed;
    }
    if (walk.goal->is_ellipsis()) {
      advance(walk);
      if (walk.candidate == kNoNode) return Flow::Failed;
      return take(ellipsis, first, walk.candidate, dropped) ? Flow::Again : Flow::Failed;
    }
    for (;;) {
      if (probe(*walk.goal, walk.candidate)) {
        return take(ellipsis, first, walk.candidate, dropped) ? Flow::Fallthrough : Flow::Failed;
      }
      advance(walk);
      if (walk.candidate == kNoNode) return Flow::Failed;
    }
  }

  bool probe(const PatternNode& goal, NodeIndex node) {
    const uint32_t end = end_;
    if (env_ == nullptr) {
      const bool both = match(goal, node) == Step::Both;
      end_ = end;
      return both;
    }
    const Environment::Mark mark = env_->mark();
    const bool both = match(goal, node) == Step::Both;
    env_->undo(mark);
    return both;
  }

  // The siblings from `first` up to `last`, without the last `dropped` of them.
  bool take(const PatternNode& ellipsis, NodeIndex first, NodeIndex last, size_t dropped) {
    if (env_ == nullptr && first == last) return false;
    std::vector<NodeIndex> nodes;
    const bool captured = ellipsis.variable == MetaVariable::Kind::MultiCapture;
    for (NodeIndex node = first; node != last; node = tree_.next_sibling(node)) {
      end_ = tree_.end(node);
      if (captured) nodes.push_back(node);
    }
    if (!captured || env_ == nullptr) return true;
    nodes.resize(nodes.size() - std::min(dropped, nodes.size()));
    return env_->bind_list(tree_, ellipsis.slot, nodes);
  }

  // One goal against the candidates, past what may be skipped; false: no match.
  bool match_one(Walk& walk) {
    for (;;) {
      if (walk.candidate == kNoNode) return skip_goals(walk);
      switch (match(*walk.goal, walk.candidate)) {
        case Step::Both:
          return true;
        case Step::SkipGoal:
          ++walk.goal;
          if (walk.goals_done()) return true;
          break;
        case Step::SkipBoth:
          advance(walk);
          ++walk.goal;
          if (walk.goals_done()) return true;
          break;
        case Step::SkipCandidate:
          advance(walk);
          break;
        case Step::None:
          return false;
      }
    }
  }

  // The code ran out: whether what is left of the pattern may be missing.
  bool skip_goals(Walk& walk) const {
    if (strictness_ == Strictness::Cst) return walk.goals_done();
    const bool strict = strictness_ == Strictness::Smart || strictness_ == Strictness::Template;
    for (; !walk.goals_done(); ++walk.goal) {
      const PatternNode& goal = *walk.goal;
      if (goal.is_ellipsis()) continue;
      if (strict || goal.kind == PatternNode::Kind::Internal || goal.named) return false;
    }
    return true;
  }

  const FlatTree& tree_;
  Strictness strictness_;
  Environment* env_;
  uint64_t& steps_;
  uint32_t end_ = 0;
};

}  // namespace

bool Pattern::matches(const FlatTree& tree, NodeIndex node, Environment& env,
                      uint64_t& steps) const {
  if (root_kind_ && tree.symbol(node) != *root_kind_) return false;
  const Environment::Mark mark = env.mark();
  if (PatternRun(tree, strictness_, &env, steps).match_root(root_, node) == Step::Both) return true;
  env.undo(mark);
  return false;
}

uint32_t Pattern::matched_end(const FlatTree& tree, NodeIndex node) const {
  uint64_t steps = 1'000'000;
  PatternRun run(tree, strictness_, nullptr, steps);
  if (run.match_root(root_, node) != Step::Both) return tree.end(node);
  return run.end();
}

}  // namespace tinyarms::rules
