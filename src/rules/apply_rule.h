// One rule on one node: matching with constraints and transformations, and what a match says.
#pragma once

#include <string_view>
#include <vector>

#include "rules/compiled.h"
#include "rules/evaluator.h"
#include "rules/finding.h"

namespace tinyarms::rules {

// The node that matched, kNoNode where it does not. `env` holds the bindings then, transformed
// variables included where `transform` is set.
NodeIndex apply_core(Evaluator& evaluator, const CompiledRule& rule, const RuleCore& core,
                     NodeIndex node, Environment& env, bool transform);

// The finding of a rule that matched `node` as `matched`, evaluated anew with labels.
Finding describe(Evaluator& evaluator, const RuleInfo& info, const CompiledRule& rule,
                 NodeIndex node, Environment& env);

// The bytes that a fix replaces.
ByteRange fixed_range(Evaluator& evaluator, const Fixer& fixer, NodeIndex matched,
                      Environment& env);

}  // namespace tinyarms::rules
