// tree-sitter with a hard bound on what one parse may cost. The library itself only offers to
// stop between operations, yet one operation on a hostile input (20 kB of "return ->") can take
// gigabytes; so the bound sits in the allocator as well. Everything is counted, nothing timed.
#pragma once

#include <tree_sitter/api.h>

#include <span>
#include <string_view>

#include "rules/parse_arena.h"

namespace tinyarms::rules {

// The tree, or null where the code costs too much. It lives in the arena, with everything that it
// points to: never ts_tree_delete() it, and reset the arena when it is no longer wanted. `parts`
// are the only pieces of the code that are parsed (another language's, in a page); none: all.
const TSTree* parse_bounded(std::string_view code, const TSLanguage* language, ParseArena& arena,
                            std::span<const TSRange> parts = {});

}  // namespace tinyarms::rules
