// File globs as ast-grep's (the crate globset with its defaults): `*` and `?` also match `/`, `**`
// only as a whole component, [a-z], [!a], {a,b}, and a backslash takes the next character as it is.
#pragma once

#include <string_view>

namespace tinyarms::rules {

// Of the whole path. A malformed glob matches nothing; so does one that costs too much.
bool matches_glob(std::string_view glob, std::string_view path, bool any_case = false);

}  // namespace tinyarms::rules
