#include "rules/code.h"

#include <algorithm>

#include "rules/language.h"
#include "rules/syntax_tree.h"

namespace tinyarms::rules {
namespace {

struct Renaming {
  std::string_view from;
  std::string_view to;
};

// Beside those of the language table.
constexpr Renaming kAliases[] = {
    {"sh", "bash"},    {"shell", "bash"},      {"shell-script", "bash"},    {"hpp", "cpp"},
    {"h", "c"},        {"mjs", "javascript"},  {"node", "javascript"},
    {"c#", "csharp"},  {"dotnet", "csharp"},   {"ecmascript", "javascript"},
    {"py3", "python"}, {"python3", "python"},  {"pyi", "python"},
};

constexpr Renaming kDisplayNames[] = {
    {"bash", "Bash"}, {"c", "C"},
    {"cpp", "C++"},   {"go", "Go"},
    {"java", "Java"}, {"javascript", "JavaScript"},
    {"json", "JSON"}, {"python", "Python"},
    {"rust", "Rust"}, {"csharp", "C#"},
    {"css", "CSS"},   {"html", "HTML"},
    {"kotlin", "Kotlin"}, {"php", "PHP"},
    {"ruby", "Ruby"}, {"scala", "Scala"},
    {"swift", "Swift"}, {"tsx", "TSX"},
    {"typescript", "TypeScript"}, {"yaml", "YAML"},
};

}  // namespace

std::string normalise_language(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const Renaming& entry : kAliases) {
    if (entry.from == lower) return std::string(entry.to);
  }
  if (const Language* language = find_language(lower)) return std::string(language->name);
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
