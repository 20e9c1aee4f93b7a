// A regex of a rule: the syntax of Rust's regex crate, as far as RE2 can do it, searched in a
// node's text. \w, \d and \s know Unicode where the text is not ASCII; \b does not. Look-around,
// back-references and operations on character classes are refused.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/result.h"
#include "rules/literal_need.h"

namespace re2 {
class RE2;
}

namespace tinyarms::rules {

class TextRegex {
 public:
  // Errors: Config, without a place.
  static Result<TextRegex> compile(std::string_view source);
  ~TextRegex();
  TextRegex(TextRegex&&) noexcept;
  TextRegex& operator=(TextRegex&&) noexcept;

  bool matches(std::string_view text) const;
  // Every match replaced; `by` may use $1, $name and ${name}, as in Rust.
  std::string replace_all(std::string_view text, std::string_view by) const;

  const LiteralNeed& need() const { return need_; }

 private:
  TextRegex();
  const re2::RE2& engine_for(std::string_view text) const;

  std::unique_ptr<re2::RE2> ascii_;
  std::unique_ptr<re2::RE2> unicode_;  // null where it would be the same
  bool exact_ = false;                 // the regex is a set of whole texts
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_set<std::string, Hash, std::equal_to<>> texts_;
  LiteralNeed need_;
};

}  // namespace tinyarms::rules
