#include "rules/code.h"

#include <algorithm>

#include "rules/syntax_tree.h"

namespace tinyarms::rules {
namespace {

struct Renaming {
  std::string_view from;
  std::string_view to;
};

constexpr Renaming kAliases[] = {
    {"sh", "bash"},        {"shell", "bash"},      {"shell-script", "bash"},
    {"c++", "cpp"},        {"cc", "cpp"},          {"cxx", "cpp"},        {"hpp", "cpp"},
    {"h", "c"},            {"golang", "go"},       {"js", "javascript"},  {"jsx", "javascript"},
    {"mjs", "javascript"}, {"node", "javascript"}, {"ecmascript", "javascript"},
    {"py", "python"},      {"py3", "python"},      {"python3", "python"}, {"pyi", "python"},
    {"rs", "rust"},
};

constexpr Renaming kDisplayNames[] = {
    {"bash", "Bash"}, {"c", "C"},
    {"cpp", "C++"},   {"go", "Go"},
    {"java", "Java"}, {"javascript", "JavaScript"},
    {"json", "JSON"}, {"python", "Python"},
    {"rust", "Rust"},
};

}  // namespace

std::string normalise_language(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const Renaming& entry : kAliases) {
    if (entry.from == lower) return std::string(entry.to);
  }
  return lower;
}

std::string display_language(std::string_view name) {
  for (const Renaming& entry : kDisplayNames) {
    if (entry.from == name) return std::string(entry.to);
  }
  return std::string(name);
}

std::optional<bool> parses(std::string_view code, std::string_view language) {
  const std::optional<SyntaxTree> tree = SyntaxTree::parse(code, language);
  if (!tree) return std::nullopt;
  return !tree->first_error();
}

}  // namespace tinyarms::rules
