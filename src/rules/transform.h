// `transform`: new variables made from the text of others. Semantics of ast-grep 0.51.1
// (crates/config/src/transform).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/environment.h"
#include "rules/text_regex.h"

namespace tinyarms::rules {

enum class StringCase { Lower, Upper, Capitalize, Camel, Snake, Kebab, Pascal };
std::optional<StringCase> find_string_case(std::string_view name);  // "camelCase"

// Where words begin. Letters' case is Unicode's for Latin, Greek and Cyrillic.
struct WordSplit {
  bool case_change = true;
  std::string delimiters = "-./ _";
};
// "caseChange", "dash", "dot", "slash", "space", "underscore"; false where it is none of them.
bool add_separator(std::string_view name, WordSplit& split);

std::string convert_case(std::string_view text, StringCase to, const WordSplit& split);

// Characters from start to end; negative numbers count from the end.
std::string substring(std::string_view text, std::optional<int32_t> start,
                      std::optional<int32_t> end);

struct Transform {
  enum class Kind { Substring, Replace, Convert, Rewrite };
  Kind kind = Kind::Substring;
  Slot target = 0;
  Slot source = 0;
  bool source_is_list = false;

  std::optional<int32_t> start;
  std::optional<int32_t> end;
  std::shared_ptr<const TextRegex> regex;
  std::string by;
  StringCase to_case = StringCase::Lower;
  WordSplit split;
  std::vector<std::string> rewriters;
  std::optional<std::string> join_by;
};

// The text of a variable; nothing where it has none.
std::optional<std::string> text_of_variable(const FlatTree& tree, const Environment& env,
                                            Slot slot, bool is_list);

// What a transform other than Rewrite makes of the text.
std::string apply_to_text(const Transform& transform, std::string_view text);

}  // namespace tinyarms::rules
