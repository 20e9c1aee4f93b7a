#include "rules/glob.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace tinyarms::rules {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

class GlobRun {
 public:
  explicit GlobRun(bool any_case) : any_case_(any_case) {}

  // The glob's tail against the path's tail; `at_start`: a component begins here.
  bool match(std::string_view glob, std::string_view path, bool at_start) {
    while (!glob.empty()) {
      if (steps_ == 0) return false;
      --steps_;
      const char c = glob.front();
      if (glob.substr(0, 2) == "**" && at_start && (glob.size() == 2 || glob[2] == '/')) {
        return components(glob.substr(std::min<size_t>(glob.size(), 3)), path, glob.size() == 2);
      }
      if (c == '*') return star(glob.substr(1), path);
      if (c == '{') return choices(glob.substr(1), path, at_start);
      // A `**` at the end also matches what is before its slash.
      if (glob == "/**") return !path.empty() && path.front() == '/';
      if (path.empty()) return false;
      if (c == '[') {
        if (!in_class(glob, path.front())) return false;
      } else if (c != '?') {
        if (c == '\\') glob.remove_prefix(1);
        if (glob.empty() || !same(glob.front(), path.front())) return false;
        glob.remove_prefix(1);
      } else {
        glob.remove_prefix(1);
      }
      at_start = path.front() == '/';
      const bool character = c == '?';
      path.remove_prefix(1);
      while (character && !path.empty() && (path.front() & 0xC0) == 0x80) path.remove_prefix(1);
    }
    return path.empty();
  }

 private:
  bool same(char a, char b) const { return any_case_ ? lower(a) == lower(b) : a == b; }

  // Zero or more whole components, then the rest.
  bool components(std::string_view rest, std::string_view path, bool last) {
    if (last) return true;
    for (;;) {
      if (match(rest, path, true)) return true;
      const size_t slash = path.find('/');
      if (slash == std::string_view::npos) return false;
      path.remove_prefix(slash + 1);
    }
  }

  bool star(std::string_view rest, std::string_view path) {
    for (size_t at = 0; at <= path.size(); ++at) {
      if (match(rest, path.substr(at), at > 0 && path[at - 1] == '/')) return true;
      if (steps_ == 0) return false;
    }
    return false;
  }

  // After "{": each choice with what follows the "}".
  bool choices(std::string_view glob, std::string_view path, bool at_start) {
    int depth = 0;
    size_t close = 0;
    for (; close < glob.size() && (glob[close] != '}' || depth > 0); ++close) {
      if (glob[close] == '\\') ++close;
      else if (glob[close] == '{') ++depth;
      else if (glob[close] == '}') --depth;
    }
    if (close >= glob.size()) return false;
    const std::string_view rest = glob.substr(close + 1);
    size_t start = 0;
    for (size_t at = 0; at <= close; ++at) {
      if (glob[at] == '\\' && at < close) ++at;
      else if (glob[at] == '{') ++depth;
      else if (glob[at] == '}' && at < close) --depth;
      else if (at == close || (glob[at] == ',' && depth == 0)) {
        if (joined(glob.substr(start, at - start), rest, path, at_start)) return true;
        start = at + 1;
      }
    }
    return false;
  }

  bool joined(std::string_view choice, std::string_view rest, std::string_view path,
              bool at_start) {
    std::string both(choice);
    both.append(rest);
    return match(both, path, at_start);
  }

  // Takes the class off the glob. A class without an end matches nothing.
  static bool in_class(std::string_view& glob, char c) {
    size_t at = 1;
    const bool negated = at < glob.size() && (glob[at] == '!' || glob[at] == '^');
    if (negated) ++at;
    bool found = false;
    for (const size_t first = at; at < glob.size() && (glob[at] != ']' || at == first); ++at) {
      const bool range = at + 2 < glob.size() && glob[at + 1] == '-' && glob[at + 2] != ']';
      found = found || (range ? glob[at] <= c && c <= glob[at + 2] : glob[at] == c);
      if (range) at += 2;
    }
    if (at >= glob.size()) return false;
    glob.remove_prefix(at + 1);
    return found != negated;
  }

  bool any_case_;
  uint64_t steps_ = 100'000;
};

}  // namespace

bool matches_glob(std::string_view glob, std::string_view path, bool any_case) {
  return GlobRun(any_case).match(glob, path, true);
}

}  // namespace tinyarms::rules
