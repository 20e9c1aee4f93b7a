// Names that Python code reads and nothing defines: a missing import, a misspelt variable.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <optional>

namespace tinyarms::tiers {

// The names that the functions of `code` read and that are bound nowhere in it, are no builtins of
// Python 3, and do not occur as words in `known` (the question). Sorted, each once. Cautious on
// purpose: scopes and order are ignored, module-level code is taken for an excerpt. Nothing where
// no verdict is possible: code that does not parse, star imports, exec and the like.
std::optional<std::vector<std::string>> undefined_python_names(std::string_view code,
                                                               std::string_view known);

}  // namespace tinyarms::tiers
