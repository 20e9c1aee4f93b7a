#include "rules/language.h"

#include <fmt/format.h>
#include <tree_sitter/api.h>

#include <algorithm>
#include <iterator>

// TINYARMS_GRAMMAR_ROWS comes from CMakeLists.txt: TINYARMS_GRAMMAR(name, function) for each.
#define TINYARMS_GRAMMAR(name, function) extern "C" const TSLanguage* function();
TINYARMS_GRAMMAR_ROWS
#undef TINYARMS_GRAMMAR

namespace tinyarms::rules {
namespace {

using GrammarFunction = const TSLanguage* (*)();

struct Grammar {
  std::string_view language;
  GrammarFunction create;
};

constexpr Grammar kGrammars[] = {
#define TINYARMS_GRAMMAR(name, function) {#name, function},
    TINYARMS_GRAMMAR_ROWS
#undef TINYARMS_GRAMMAR
};

// The place in kGrammars, -1 where there is none. (Not a pointer: with -fsanitize=undefined GCC
// holds that comparing one with null is no constant expression.)
constexpr int grammar_of(std::string_view language) {
  for (size_t i = 0; i < std::size(kGrammars); ++i) {
    if (kGrammars[i].language == language) return static_cast<int>(i);
  }
  return -1;
}

constexpr std::string_view kLinearB = "\U00010000";
constexpr std::string_view kMicro = "\u00b5";

struct Row {
  std::string_view name;
  std::string_view title;
  std::string_view aliases;
  std::string_view endings;
  std::string_view expando;
};

constexpr Row kRows[] = {
    {"bash", "Bash", "", "bash bats cgi command env fcgi ksh sh tmux tool zsh", "$"},
    {"c", "C", "", "c h", kLinearB},
    {"cpp", "Cpp", "cc c++ cxx", "cc hpp cpp c++ hh cxx cu ino", kLinearB},
    {"csharp", "CSharp", "cs", "cs", kMicro},
    {"css", "Css", "", "css scss", "_"},
    {"go", "Go", "golang", "go", kMicro},
    {"html", "Html", "", "html htm xhtml", "z"},
    {"java", "Java", "", "java", "$"},
    {"javascript", "JavaScript", "js jsx", "cjs js mjs jsx", "$"},
    {"json", "Json", "", "json", "$"},
    {"kotlin", "Kotlin", "kt", "kt ktm kts", kMicro},
    {"php", "Php", "", "php", kMicro},
    {"python", "Python", "py", "py py3 pyi bzl bazel", kMicro},
    {"ruby", "Ruby", "rb", "rb rbw gemspec", kMicro},
    {"rust", "Rust", "rs", "rs", kMicro},
    {"scala", "Scala", "", "scala sc sbt", "$"},
    {"swift", "Swift", "", "swift", kMicro},
    {"tsx", "Tsx", "", "tsx", "$"},
    {"typescript", "TypeScript", "ts", "ts cts mts", "$"},
    {"yaml", "Yaml", "yml", "yaml yml", "$"},
};

constexpr size_t count_rows() {
  size_t count = 0;
  for (const Row& row : kRows) count += grammar_of(row.name) >= 0 ? 1 : 0;
  return count;
}

struct Table {
  Language rows[count_rows()];
};

constexpr Table make_table() {
  Table table{};
  size_t next = 0;
  for (const Row& row : kRows) {
    const int grammar = grammar_of(row.name);
    if (grammar < 0) continue;
    table.rows[next++] = {row.name, row.title, row.aliases, row.endings, row.expando,
                          kGrammars[grammar].create,
                          row.name == "php" ? "<?php " : ""};
  }
  return table;
}

constexpr Table kTable = make_table();

bool equal_but_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

template <typename Same>
bool is_listed(std::string_view list, std::string_view word, Same same) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(' '), list.size());
    if (same(list.substr(0, end), word)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace

std::span<const Language> languages() { return kTable.rows; }

const Language* find_language(std::string_view name) {
  for (const Language& language : languages()) {
    if (equal_but_case(language.name, name) || equal_but_case(language.title, name) ||
        is_listed(language.aliases, name, equal_but_case)) {
      return &language;
    }
  }
  return nullptr;
}

const Language* language_of_path(std::string_view path) {
  const size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return nullptr;
  for (const Language& language : languages()) {
    if (is_listed(language.endings, name.substr(dot + 1), std::equal_to<>())) return &language;
  }
  return nullptr;
}

std::string grammar_version(const Language& language) {
  const TSLanguage* grammar = language.grammar();
  if (const TSLanguageMetadata* metadata = ts_language_metadata(grammar)) {
    return fmt::format("{}.{}.{}", metadata->major_version, metadata->minor_version,
                       metadata->patch_version);
  }
  return fmt::format("ABI {}", ts_language_abi_version(grammar));
}

}  // namespace tinyarms::rules
