// Why a rule matched the nodes that begin on a line, or why not: every condition of the rule on
// every node that could match by its kind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "rules/rule_set.h"

namespace tinyarms::scan {

inline constexpr size_t kExplainedNodesMax = 20;

// `line` counts from one. `path` is what the rule's files and ignores are held against.
// Errors: InvalidArgument (no such line), OverBudget (the text costs too much to parse or match).
Result<std::string> explain(const rules::RuleSet& rules, const rules::RuleInfo& rule,
                            std::string_view text, std::string_view path, uint32_t line);

}  // namespace tinyarms::scan
