// What the bundled code rules find in pieces of code: counts by category, and who said so.
#pragma once

#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "rules/code.h"

namespace tinyarms::tiers {

struct RuleFindings {
  size_t blocks = 0;  // that were looked at: the others have no language, or no rules
  size_t findings = 0;
  size_t bug = 0;
  size_t security = 0;
  size_t modernise = 0;
  size_t banned_calls = 0;     // findings of security rules with severity error
  std::set<std::string> ids;  // of the rules that found something
};

// Larger blocks are left out; what is asked of a model fits.
inline constexpr size_t kReviewedBytesMax = 256 << 10;

// Rules of a language are compiled when its first block is seen. Thread-safe.
RuleFindings find_with_rules(std::span<const rules::CodeBlock> blocks);

}  // namespace tinyarms::tiers
