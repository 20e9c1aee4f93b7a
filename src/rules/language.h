// The languages of this build: their names, files, grammars and the character that stands for `$`
// in their patterns. One row per language in language.cc; which rows are compiled in is the CMake
// variable TINYARMS_GRAMMARS. Names, aliases and file endings are those of ast-grep.
#pragma once

#include <span>
#include <string>
#include <string_view>

struct TSLanguage;

namespace tinyarms::rules {

struct Language {
  std::string_view name;     // "csharp": the name used everywhere in tinyArms
  std::string_view title;    // "CSharp": as ast-grep writes it in its output
  std::string_view aliases;  // other names, separated by blanks; lower case
  std::string_view endings;  // file endings without the dot, separated by blanks
  std::string_view expando;  // UTF-8: what replaces `$` where identifiers cannot hold it, or "$"
  const TSLanguage* (*grammar)();
  std::string_view prelude;  // what must stand before a piece of code for it to be code ("<?php ")
};

// In alphabetical order of their names; the addresses are stable and identify a language.
std::span<const Language> languages();

// By name, title or alias, in any case; null where this build has none.
const Language* find_language(std::string_view name);

// By the ending of a file's name ("a/b.py"); null where it tells nothing.
const Language* language_of_path(std::string_view path);

// "0.23.6" where the grammar tells its version, else "ABI 14".
std::string grammar_version(const Language& language);

}  // namespace tinyarms::rules
