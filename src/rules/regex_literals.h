// What can be read off a regex without running it: the literals that any match must hold, and, for
// `^(?:a|b|c)$` and its like, the very texts that it matches.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/literal_need.h"

namespace tinyarms::rules {

struct RegexLiterals {
  LiteralNeed need;                // of a text in which the regex is found
  bool whole = false;              // it matches `texts` as wholes, and nothing else
  std::vector<std::string> texts;  // sound only where `whole`
};

// Syntax that is not understood asks for nothing.
RegexLiterals read_regex_literals(std::string_view regex);

}  // namespace tinyarms::rules
