// Texts with metavariables to be filled in: fixes and messages. Indentation of what is filled in
// follows ast-grep (crates/core/src/replacer): a captured node of several lines is moved to the
// column where the template names it, and the whole to where it replaces code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/environment.h"

namespace tinyarms::rules {

class TemplateText {
 public:
  TemplateText() = default;
  // `transformed` are the slots that `transform` fills.
  TemplateText(std::string_view text, SlotTable& slots, const std::vector<Slot>& transformed);

  // As it replaces the node.
  std::string fill(const FlatTree& tree, NodeIndex node, const Environment& env) const;

  // The names it uses.
  std::vector<Slot> slots() const;

 private:
  struct Variable {
    enum class Kind { Single, Multiple, Transformed };
    Kind kind;
    Slot slot;
    uint32_t indent;
  };
  void append(const Variable& variable, const FlatTree& tree, const Environment& env,
              std::string& out) const;

  std::vector<std::string> fragments_{""};  // one more than variables
  std::vector<Variable> variables_;
};

// Blanks before the offset on its line; 0 where the line's text begins earlier.
uint32_t indent_at(std::string_view text, size_t offset);
// Lines after the first moved from one indentation to another.
std::string reindent(std::string_view lines, uint32_t from, uint32_t to);

}  // namespace tinyarms::rules
