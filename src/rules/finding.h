// What rules say about code. Byte ranges are half open; lines and columns count from zero, columns
// in characters (code points), as in ast-grep's JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/language.h"
#include "rules/yaml_document.h"

namespace tinyarms::rules {

struct ByteRange {
  uint32_t start = 0;
  uint32_t end = 0;
  bool operator==(const ByteRange&) const = default;
};

struct CharPosition {
  uint32_t line = 0;
  uint32_t column = 0;
};

enum class Severity { Off, Hint, Info, Warning, Error };
std::string_view severity_name(Severity severity);  // "off", "hint", …

// A glob of `files` or `ignores`.
struct FileGlob {
  std::string glob;
  bool any_case = false;
};

// Everything a rule says about itself.
struct RuleInfo {
  std::string id;
  const Language* language = nullptr;
  Severity severity = Severity::Hint;
  std::string message;  // a template: $A, $$$A
  std::string note;
  std::string url;
  YamlNode metadata;  // Kind::Null where there is none
  std::vector<FileGlob> files;
  std::vector<FileGlob> ignores;
  bool has_files = false;  // an empty list of files matches nothing
  size_t fixes = 0;        // how many fixes it offers
  std::string file;        // where the rule stands
  int line = 1;
};

// The value of a metavariable: one node ($A), a list of nodes ($$$A, perhaps empty), or the text
// that `transform` made (no range).
struct Capture {
  enum class Kind { Single, Multiple, Transformed };
  Kind kind = Kind::Single;
  std::string name;  // without the `$`
  std::vector<ByteRange> ranges;
  std::string text;  // of a list: from the start of its first to the end of its last node
};

struct Label {
  bool primary = true;
  std::string message;
  ByteRange range;
};

struct Fix {
  std::string title;  // of several; may be empty
  ByteRange range;    // FixConfig's expansion applied
  std::string replacement;
};

struct Finding {
  const RuleInfo* rule = nullptr;  // lives as long as the RuleSet
  ByteRange range;
  CharPosition start;
  CharPosition end;
  std::string message;  // with the metavariables filled in
  std::vector<Capture> captures;
  std::vector<Label> labels;
  std::vector<Fix> fixes;  // the first is the one `--fix` applies
};

}  // namespace tinyarms::rules
