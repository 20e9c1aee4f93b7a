#include "rules/evaluator.h"

#include <algorithm>


namespace tinyarms::rules {
namespace {

// Rules inside of rules at run time: utilities may call themselves on other nodes.
constexpr int kEvaluationDepthMax = 600;
constexpr int kRewriterDepthMax = 100;

}  // namespace

NodeIndex Memo::find(int matcher, NodeIndex node) const {
  if (table_.empty()) return kUnknown;
  const uint64_t key = static_cast<uint64_t>(matcher) << 32 | node;
  for (size_t at = hash(key) & (table_.size() - 1);; at = (at + 1) & (table_.size() - 1)) {
    if (table_[at].key == key) return table_[at].verdict;
    if (table_[at].key == UINT64_MAX) return kUnknown;
  }
}

void Memo::remember(int matcher, NodeIndex node, NodeIndex verdict) {
  if (used_ * 2 >= table_.size()) grow();
  const uint64_t key = static_cast<uint64_t>(matcher) << 32 | node;
  size_t at = hash(key) & (table_.size() - 1);
  while (table_[at].key != UINT64_MAX && table_[at].key != key) at = (at + 1) & (table_.size() - 1);
  used_ += table_[at].key == key ? 0 : 1;
  table_[at] = {key, verdict};
}

void Memo::grow() {
  std::vector<Entry> old = std::move(table_);
  table_.assign(std::max<size_t>(1024, old.size() * 2), {});
  used_ = 0;
  for (const Entry& entry : old) {
    if (entry.key == UINT64_MAX) continue;
    size_t at = hash(entry.key) & (table_.size() - 1);
    while (table_[at].key != UINT64_MAX) at = (at + 1) & (table_.size() - 1);
    table_[at] = entry;
    ++used_;
  }
}

void Memo::clear() {
  if (used_ == 0) return;
  std::fill(table_.begin(), table_.end(), Entry{});
  used_ = 0;
}

// One of the spare environments, empty, for as long as this lives.
class Evaluator::FreshEnvironment {
 public:
  FreshEnvironment(Evaluator& owner, size_t slots) : owner_(owner) {
    if (owner.spare_used_ == owner.spare_.size()) owner.spare_.emplace_back();
    env_ = &owner.spare_[owner.spare_used_++];
    env_->reset(slots);
  }
  ~FreshEnvironment() { --owner_.spare_used_; }
  FreshEnvironment(const FreshEnvironment&) = delete;
  FreshEnvironment& operator=(const FreshEnvironment&) = delete;
  Environment& operator*() const { return *env_; }

 private:
  Evaluator& owner_;
  Environment* env_;
};

bool Evaluator::take_step(uint64_t count) {
  steps_ -= std::min(steps_, count);
  return steps_ > 0;
}

bool Evaluator::enter_rewriter() {
  if (++rewriters_ > kRewriterDepthMax) steps_ = 0;
  return steps_ > 0;
}

NodeIndex Evaluator::match(const Matcher& matcher, NodeIndex node, Environment& env) {
  if (matcher.kinds && !matcher.kinds->contains(tree_.symbol(node))) return kNoNode;
  if (!take_step()) return kNoNode;
  const bool remembered = matcher.memo >= 0 && !labels_;
  if (remembered) {
    const NodeIndex verdict = memo_.find(matcher.memo, node);
    if (verdict != Memo::kUnknown) return verdict;
  }
  if (depth_ >= kEvaluationDepthMax) {
    steps_ = 0;
    return kNoNode;
  }
  ++depth_;
  const NodeIndex verdict = evaluate(matcher, node, env);
  --depth_;
  if (remembered && steps_ > 0) memo_.remember(matcher.memo, node, verdict);
  return verdict;
}

NodeIndex Evaluator::evaluate(const Matcher& matcher, NodeIndex node, Environment& env) {
  using Op = Matcher::Op;
  const auto self_if = [&](bool holds) { return holds ? node : kNoNode; };
  switch (matcher.op) {
    case Op::Kind:
      return self_if(tree_.symbol(node) == matcher.symbol);
    case Op::Pattern:
      return self_if(matcher.pattern->matches(tree_, node, env, steps_));
    case Op::Regex: {
      const std::string_view text = tree_.text(node);
      return self_if(take_step(text.size() / 64) && matcher.regex->matches(text));
    }
    case Op::NthChild:
      return nth_child(matcher, node, env);
    case Op::Range:
      return self_if(in_range(matcher.range, node));
    case Op::All:
      return self_if(all(matcher, node, env));
    case Op::Any:
      for (const Matcher& part : matcher.parts) {
        if (match(part, node, env) != kNoNode) return node;
      }
      return kNoNode;
    case Op::Not: {
      const Environment::Mark mark = env.mark();
      const bool matched = match(matcher.parts[0], node, env) != kNoNode;
      env.undo(mark);
      return self_if(!matched && steps_ > 0);
    }
    case Op::Matches:
      return utility(matcher, node, env);
    case Op::Call:
      return call(matcher, node, env);
    case Op::Param:
      return param(matcher, node, env);
    case Op::Inside:
    case Op::Has:
    case Op::Precedes:
    case Op::Follows:
      break;
  }
  const NodeIndex found =
      matcher.op == Op::Inside ? inside(matcher, node, env)
      : matcher.op == Op::Has  ? has(matcher, node, env)
                               : find_sibling(matcher.stop_by, matcher.parts[0], node,
                                              matcher.op == Op::Precedes, env);
  if (found != kNoNode && labels_) env.add_label(found);
  return found;
}

bool Evaluator::all(const Matcher& matcher, NodeIndex node, Environment& env) {
  const Environment::Mark mark = env.mark();
  for (size_t i = 0; i < matcher.parts.size(); ++i) {
    const Matcher& part = matcher.parts[labels_ ? i : matcher.cheap_first[i]];
    if (match(part, node, env) == kNoNode) {
      env.undo(mark);
      return false;
    }
  }
  return true;
}

bool Evaluator::stops(const Matcher& rule, NodeIndex node, Environment& env) {
  const bool labels = labels_;
  labels_ = false;
  bool stops = false;
  if (rule.pure) {
    stops = match(rule, node, env) != kNoNode;
  } else {
    const FreshEnvironment fresh(*this, env.slots());
    stops = match(rule, node, *fresh) != kNoNode;
  }
  labels_ = labels;
  return stops;
}

NodeIndex Evaluator::inside(const Matcher& matcher, NodeIndex node, Environment& env) {
  const Matcher& outer = matcher.parts[0];
  NodeIndex below = node;
  for (NodeIndex up = tree_.parent(node); up != kNoNode; up = tree_.parent(up)) {
    if (!take_step()) return kNoNode;
    const bool by_field =
        matcher.field == 0 || tree_.child_by_field(up, matcher.field) == below;
    if (by_field) {
      const NodeIndex found = match(outer, up, env);
      if (found != kNoNode) return found;
    }
    if (matcher.stop_by.kind == StopBy::Kind::Neighbor) return kNoNode;
    if (matcher.stop_by.kind == StopBy::Kind::Rule && stops(*matcher.stop_by.rule, up, env)) {
      return kNoNode;
    }
    below = up;
  }
  return kNoNode;
}

NodeIndex Evaluator::find_below(const Matcher& inner, NodeIndex first, NodeIndex end,
                                Environment& env) {
  if (inner.few_kinds.size() == 1) {
    const FlatTree::Occurrences all = tree_.occurrences(inner.few_kinds[0]);
    for (const NodeIndex* at = std::lower_bound(all.begin, all.end, first);
         at != all.end && *at < end; ++at) {
      const NodeIndex found = match(inner, *at, env);
      if (found != kNoNode || steps_ == 0) return found;
    }
    return kNoNode;
  }
  for (NodeIndex node = first; node < end; ++node) {
    if (inner.kinds && !inner.kinds->contains(tree_.symbol(node))) continue;
    const NodeIndex found = match(inner, node, env);
    if (found != kNoNode || steps_ == 0) return found;
  }
  take_step((end - first) / 8);
  return kNoNode;
}

NodeIndex Evaluator::has(const Matcher& matcher, NodeIndex node, Environment& env) {
  const Matcher& inner = matcher.parts[0];
  if (matcher.field != 0) {
    const NodeIndex child = tree_.child_by_field(node, matcher.field);
    if (child == kNoNode) return kNoNode;
    if (matcher.stop_by.kind == StopBy::Kind::End) {
      return find_below(inner, child, tree_.subtree_end(child), env);
    }
    const NodeIndex found = match(inner, child, env);
    if (found != kNoNode || matcher.stop_by.kind == StopBy::Kind::Neighbor ||
        stops(*matcher.stop_by.rule, child, env)) {
      return found;
    }
    for (NodeIndex below = tree_.first_child(child); below != kNoNode;
         below = tree_.next_sibling(below)) {
      const NodeIndex deeper = match(inner, below, env);
      if (deeper != kNoNode) return deeper;
    }
    return kNoNode;
  }
  switch (matcher.stop_by.kind) {
    case StopBy::Kind::End:
      return find_below(inner, node + 1, tree_.subtree_end(node), env);
    case StopBy::Kind::Rule:
      return has_until(matcher, node, env);
    case StopBy::Kind::Neighbor:
      break;
  }
  for (NodeIndex child = tree_.first_child(node); child != kNoNode;
       child = tree_.next_sibling(child)) {
    const NodeIndex found = match(inner, child, env);
    if (found != kNoNode) return found;
  }
  return kNoNode;
}

// In document order, not going below a node that stops the search.
NodeIndex Evaluator::has_until(const Matcher& matcher, NodeIndex node, Environment& env) {
  const NodeIndex end = tree_.subtree_end(node);
  for (NodeIndex below = node + 1; below < end && take_step();) {
    const NodeIndex found = match(matcher.parts[0], below, env);
    if (found != kNoNode) return found;
    below = stops(*matcher.stop_by.rule, below, env) ? tree_.subtree_end(below) : below + 1;
  }
  return kNoNode;
}

NodeIndex Evaluator::find_sibling(const StopBy& stop_by, const Matcher& matcher, NodeIndex node,
                                  bool forward, Environment& env) {
  const auto step = [&](NodeIndex from) {
    return forward ? tree_.next_sibling(from) : tree_.previous_sibling(from);
  };
  if (stop_by.kind == StopBy::Kind::Neighbor) {
    const NodeIndex next = step(node);
    return next == kNoNode ? kNoNode : match(matcher, next, env);
  }
  // As ast-grep's cursor: from the first sibling that ends after the node starts.
  NodeIndex from = tree_.parent(node) == kNoNode ? tree_.first_child(node) : node;
  while (from != kNoNode && tree_.end(from) <= tree_.start(node)) from = tree_.next_sibling(from);
  if (from == kNoNode) return kNoNode;
  for (NodeIndex next = step(from); next != kNoNode && take_step(); next = step(next)) {
    const bool last = stop_by.kind == StopBy::Kind::Rule && stops(*stop_by.rule, next, env);
    const NodeIndex found = match(matcher, next, env);
    if (found != kNoNode) return found;
    if (last) return kNoNode;
  }
  return kNoNode;
}

NodeIndex Evaluator::nth_child(const Matcher& matcher, NodeIndex node, Environment& env) {
  const NodeIndex parent = tree_.parent(node);
  if (parent == kNoNode || !tree_.is_named(node)) return kNoNode;
  const Matcher* of_rule = matcher.parts.empty() ? nullptr : &matcher.parts[0];
  uint32_t before = 0;
  uint32_t count = 0;
  bool seen = false;
  for (NodeIndex child = tree_.first_child(parent); child != kNoNode && take_step();
       child = tree_.next_sibling(child)) {
    if (!tree_.is_named(child)) continue;
    NodeIndex counted = child;
    if (of_rule != nullptr) {
      const Environment::Mark mark = env.mark();
      counted = match(*of_rule, child, env);
      env.undo(mark);
      if (counted == kNoNode) continue;
    }
    if (counted == node && (!seen || matcher.reverse)) {
      seen = true;
      before = count;
    }
    ++count;
  }
  if (!seen) return kNoNode;
  if (of_rule != nullptr) match(*of_rule, node, env);
  const uint32_t index = matcher.reverse ? count - 1 - before : before;
  return matcher.position.holds(index) ? node : kNoNode;
}

const TextIndex& Evaluator::index() {
  if (!index_) index_.emplace(tree_.text());
  return *index_;
}

bool Evaluator::in_range(const NodeRange& range, NodeIndex node) {
  const TSPoint start = ts_node_start_point(tree_.handle(node));
  const TSPoint end = ts_node_end_point(tree_.handle(node));
  if (start.row != range.start_line || end.row != range.end_line) return false;
  const auto column = [&](uint32_t offset) { return index().position(offset).column; };
  return (!range.start_column || *range.start_column == column(tree_.start(node))) &&
         (!range.end_column || *range.end_column == column(tree_.end(node)));
}

bool Evaluator::hold(const std::vector<std::pair<Slot, Matcher>>& constraints, Environment& env) {
  for (const auto& [slot, matcher] : constraints) {
    const NodeIndex bound = env.single(slot);
    if (bound != kNoNode && match(matcher, bound, env) == kNoNode) return false;
  }
  return true;
}

NodeIndex Evaluator::utility(const Matcher& matcher, NodeIndex node, Environment& env) {
  if (matcher.utility == nullptr) return kNoNode;
  if (matcher.utility->global) return global(*matcher.utility, node);
  return match(matcher.utility->matcher, node, env);
}

NodeIndex Evaluator::global(const Utility& utility, NodeIndex node) {
  const FreshEnvironment fresh(*this, utility.slots.size());
  const NodeIndex found = match(utility.matcher, node, *fresh);
  return found != kNoNode && hold(utility.constraints, *fresh) ? found : kNoNode;
}

NodeIndex Evaluator::call(const Matcher& matcher, NodeIndex node, Environment& env) {
  if (matcher.utility == nullptr) return kNoNode;
  const FreshEnvironment exports(*this, env.slots());
  const Frame frame{&matcher.arguments, &*exports, frame_};
  frame_ = &frame;
  const NodeIndex found = global(*matcher.utility, node);
  frame_ = frame.outer;
  if (found == kNoNode) return kNoNode;
  const Environment::Mark mark = env.mark();
  for (const Slot slot : matcher.exported) {
    const NodeIndex single = (*exports).single(slot);
    bool kept = true;
    if (single != kNoNode) {
      kept = env.bind(tree_, slot, single);
    } else if ((*exports).has_list(slot)) {
      kept = env.bind_list(tree_, slot, (*exports).list(slot));
    }
    if (!kept) {
      env.undo(mark);
      return kNoNode;
    }
  }
  return found;
}

NodeIndex Evaluator::param(const Matcher& matcher, NodeIndex node, Environment&) {
  if (frame_ == nullptr) return kNoNode;
  const auto argument = frame_->arguments->find(matcher.text);
  if (argument == frame_->arguments->end()) return kNoNode;
  const Frame* inner = frame_;
  frame_ = inner->outer;
  const Environment::Mark mark = inner->exports->mark();
  const NodeIndex found = match(argument->second, node, *inner->exports);
  if (found == kNoNode) inner->exports->undo(mark);
  frame_ = inner;
  return found;
}

}  // namespace tinyarms::rules
