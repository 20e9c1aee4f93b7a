#include "rules/apply_rule.h"

#include <algorithm>


namespace tinyarms::rules {
namespace {

struct Edit {
  ByteRange range;
  std::string text;
};

// What `rewrite` replaces in one captured node: the first rewriter that matches, node by node.
void collect_edits(Evaluator& evaluator, const CompiledRule& rule, const Transform& transform,
                   NodeIndex root, const Environment& enclosing, std::vector<Edit>& edits) {
  const FlatTree& tree = evaluator.tree();
  for (NodeIndex node = root; node < tree.subtree_end(root); ++node) {
    for (const std::string& id : transform.rewriters) {
      const auto rewriter =
          std::find_if(rule.rewriters.begin(), rule.rewriters.end(),
                       [&](const Rewriter& candidate) { return candidate.id == id; });
      if (rewriter == rule.rewriters.end()) continue;
      if (!rewriter->core.matcher.kinds ||
          rewriter->core.matcher.kinds->contains(tree.symbol(node))) {
        Environment env = enclosing;
        const NodeIndex matched =
            apply_core(evaluator, rule, rewriter->core, node, env, true);
        if (matched == kNoNode) continue;
        edits.push_back({fixed_range(evaluator, rewriter->fixer, matched, env),
                         rewriter->fixer.text.fill(tree, matched, env)});
        break;
      }
    }
    if (evaluator.exhausted()) return;
  }
}

// Edits joined, or put into the text; those that overlap an earlier one are left out.
std::string merge_edits(const std::vector<Edit>& edits, std::string_view text, uint32_t offset,
                        const std::optional<std::string>& joiner) {
  std::string out;
  size_t at = 0;
  bool first = true;
  for (const Edit& edit : edits) {
    if (edit.range.start < offset) continue;
    const size_t start = edit.range.start - offset;
    if ((at > start && !(joiner && first)) || edit.range.end - offset > text.size()) continue;
    if (joiner) {
      if (!first) out += *joiner;
    } else {
      out.append(text.substr(at, start - at));
    }
    out += edit.text;
    at = edit.range.end - offset;
    first = false;
  }
  if (!joiner) out.append(text.substr(std::min(at, text.size())));
  return out;
}

std::optional<std::string> rewrite(Evaluator& evaluator, const CompiledRule& rule,
                                   const Transform& transform, const Environment& env,
                                   const Environment& enclosing) {
  std::vector<NodeIndex> nodes;
  if (transform.source_is_list) {
    const std::span<const NodeIndex> list = env.list(transform.source);
    nodes.assign(list.begin(), list.end());
  } else if (env.single(transform.source) != kNoNode) {
    nodes.push_back(env.single(transform.source));
  }
  if (nodes.empty()) return std::nullopt;
  const FlatTree& tree = evaluator.tree();
  std::vector<Edit> edits;
  if (evaluator.enter_rewriter()) {
    for (const NodeIndex node : nodes) {
      collect_edits(evaluator, rule, transform, node, enclosing, edits);
    }
  }
  evaluator.leave_rewriter();
  const uint32_t start = tree.start(nodes.front());
  const std::string_view text = tree.text().substr(start, tree.end(nodes.back()) - start);
  return merge_edits(edits, text, start, transform.join_by);
}

void apply_transforms(Evaluator& evaluator, const CompiledRule& rule, const RuleCore& core,
                      Environment& env) {
  const FlatTree& tree = evaluator.tree();
  const Environment enclosing = env;
  for (const Transform& transform : core.transforms) {
    const auto source = text_of_variable(tree, env, transform.source, transform.source_is_list);
    std::string text;
    if (transform.kind == Transform::Kind::Rewrite) {
      text = rewrite(evaluator, rule, transform, env, enclosing).value_or("");
    } else if (source) {
      text = apply_to_text(transform, *source);
    }
    NodeIndex node = env.single(transform.source);
    if (transform.source_is_list) {
      const std::span<const NodeIndex> list = env.list(transform.source);
      node = list.empty() ? kNoNode : list.front();
    }
    if (node != kNoNode && text.find('\n') != std::string::npos) {
      text = reindent(text, indent_at(tree.text(), tree.start(node)), 0);
    }
    env.set_transformed(transform.target, std::move(text));
  }
}

std::vector<Capture> captures_of(const FlatTree& tree, const SlotTable& slots,
                                 const Environment& env) {
  std::vector<Capture> captures;
  const auto range = [&](NodeIndex node) { return ByteRange{tree.start(node), tree.end(node)}; };
  for (Slot slot = 0; slot < slots.size(); ++slot) {
    if (const NodeIndex node = env.single(slot); node != kNoNode) {
      captures.push_back({Capture::Kind::Single, slots.name(slot), {range(node)},
                          std::string(tree.text(node))});
    }
    if (env.has_list(slot)) {
      Capture list{Capture::Kind::Multiple, slots.name(slot), {}, {}};
      for (const NodeIndex node : env.list(slot)) list.ranges.push_back(range(node));
      list.text = text_of_variable(tree, env, slot, true).value_or("");
      captures.push_back(std::move(list));
    }
    if (const std::string* text = env.transformed(slot)) {
      captures.push_back({Capture::Kind::Transformed, slots.name(slot), {}, *text});
    }
  }
  return captures;
}

std::vector<Label> labels_of(const FlatTree& tree, const CompiledRule& rule, NodeIndex matched,
                             const Environment& env) {
  std::vector<Label> labels;
  if (!rule.has_labels) {
    labels.push_back({true, "", {tree.start(matched), tree.end(matched)}});
    for (const NodeIndex node : env.labels()) {
      labels.push_back({false, "", {tree.start(node), tree.end(node)}});
    }
    return labels;
  }
  for (const LabelConfig& label : rule.labels) {
    NodeIndex first = env.single(label.slot);
    NodeIndex last = first;
    if (first == kNoNode && !env.list(label.slot).empty()) {
      first = env.list(label.slot).front();
      last = env.list(label.slot).back();
    }
    if (first == kNoNode) continue;
    labels.push_back({label.primary, label.message, {tree.start(first), tree.end(last)}});
  }
  return labels;
}

}  // namespace

NodeIndex apply_core(Evaluator& evaluator, const CompiledRule& rule, const RuleCore& core,
                     NodeIndex node, Environment& env, bool transform) {
  const NodeIndex matched = evaluator.match(core.matcher, node, env);
  if (matched == kNoNode || !evaluator.hold(core.constraints, env)) return kNoNode;
  if (transform && !core.transforms.empty()) apply_transforms(evaluator, rule, core, env);
  return matched;
}

ByteRange fixed_range(Evaluator& evaluator, const Fixer& fixer, NodeIndex matched,
                      Environment& env) {
  const FlatTree& tree = evaluator.tree();
  ByteRange range{tree.start(matched), tree.end(matched)};
  const Environment::Mark mark = env.mark();
  if (fixer.start) {
    const NodeIndex found = evaluator.find_sibling(fixer.start->stop_by, fixer.start->matcher,
                                                   matched, false, env);
    if (found != kNoNode) range.start = tree.start(found);
    env.undo(mark);
  }
  if (fixer.end) {
    const NodeIndex found = evaluator.find_sibling(fixer.end->stop_by, fixer.end->matcher,
                                                   matched, true, env);
    if (found != kNoNode) range.end = tree.end(found);
    env.undo(mark);
  }
  return range;
}

Finding describe(Evaluator& evaluator, const RuleInfo& info, const CompiledRule& rule,
                 NodeIndex node, Environment& env) {
  const FlatTree& tree = evaluator.tree();
  env.reset(rule.slots.size());
  evaluator.collect_labels(true);
  const NodeIndex matched = apply_core(evaluator, rule, rule.core, node, env, true);
  evaluator.collect_labels(false);
  Finding finding;
  finding.rule = &info;
  if (matched == kNoNode) {  // out of steps
    finding.range = {tree.start(node), tree.end(node)};
    return finding;
  }
  finding.range = {tree.start(matched), tree.end(matched)};
  finding.start = evaluator.index().position(finding.range.start);
  finding.end = evaluator.index().position(finding.range.end);
  finding.message = rule.message.fill(tree, matched, env);
  finding.captures = captures_of(tree, rule.slots, env);
  finding.labels = labels_of(tree, rule, matched, env);
  for (const Fixer& fixer : rule.fixers) {
    Fix fix{fixer.title, fixed_range(evaluator, fixer, matched, env),
            fixer.text.fill(tree, matched, env)};
    if (rule.end_at_pattern) fix.range.end = rule.core.matcher.pattern->matched_end(tree, matched);
    finding.fixes.push_back(std::move(fix));
  }
  return finding;
}

}  // namespace tinyarms::rules
