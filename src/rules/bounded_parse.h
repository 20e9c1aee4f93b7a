// tree-sitter with a hard bound on what one parse may cost. The library itself only offers to
// stop between operations, yet one operation on a hostile input (20 kB of "return ->") can take
// gigabytes; so the bound sits in the allocator as well. Everything is counted, nothing timed.
#pragma once

#include <tree_sitter/api.h>

#include <string_view>

namespace tinyarms::rules {

// The tree (the caller's to delete, on any thread), or null where the code costs too much.
TSTree* parse_bounded(std::string_view code, const TSLanguage* language);

}  // namespace tinyarms::rules
