// How deep brackets nest in a JSON text from outside, before anything goes down it by recursion.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace tinyarms {

// Counts [ and { outside of strings; whether they match is the parser's business.
inline int bracket_depth(std::string_view json) {
  int depth = 0;
  int deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

}  // namespace tinyarms
