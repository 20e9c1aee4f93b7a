// How a pattern is understood, for whoever writes one: as the pattern itself (what must match,
// where the metavariables are) or as the syntax tree of its text.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tinyarms::scan {

struct QueryDump {
  std::string_view pattern;
  std::string_view language;
  std::string_view selector;  // a kind; may be empty
  std::string_view format;    // "pattern"; "ast": named nodes; "cst": all nodes; "sexp"
};

// Text that ends in a newline. Lines and columns count from zero, columns in bytes.
// Errors: InvalidArgument (no such language), Config (no valid pattern), OverBudget (too large).
Result<std::string> dump_query(const QueryDump& query);

}  // namespace tinyarms::scan
