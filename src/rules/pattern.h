// Patterns: code with metavariables in it ($A, $$A, $_, $$$, $$$A), parsed once and matched
// against nodes with one of six strictnesses. Semantics of ast-grep 0.51.1
// (crates/core/src/matcher/pattern.rs and match_tree).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/environment.h"
#include "rules/flat_tree.h"
#include "rules/language.h"
#include "rules/literal_need.h"

namespace tinyarms::rules {

// Cst: all nodes count. Smart: all of the pattern's; the code may have more unnamed ones. Ast:
// named ones only. Relaxed: and no comments. Signature: and no texts. Template: texts, no kinds.
enum class Strictness { Cst, Smart, Ast, Relaxed, Signature, Template };
std::optional<Strictness> find_strictness(std::string_view name);

struct MetaVariable {
  enum class Kind { Capture, Dropped, Multiple, MultiCapture };
  Kind kind = Kind::Capture;
  bool named = true;  // $A: named nodes only; $$A: any
  std::string_view name;

  bool is_ellipsis() const { return kind == Kind::Multiple || kind == Kind::MultiCapture; }
};

// Of a whole text; `sigil` is "$" or the language's expando.
std::optional<MetaVariable> read_metavariable(std::string_view text, std::string_view sigil);

struct PatternNode {
  enum class Kind { MetaVariable, Terminal, Internal };
  Kind kind = Kind::Internal;
  MetaVariable::Kind variable = MetaVariable::Kind::Capture;
  bool named = true;  // the node, or what the variable takes
  Slot slot = 0;      // of Capture and MultiCapture
  uint16_t symbol = 0;
  std::string text;  // of a terminal
  bool identifier = false;  // a terminal whose text is a whole word in any code
  std::vector<PatternNode> children;

  bool is_ellipsis() const {
    return kind == Kind::MetaVariable && (variable == MetaVariable::Kind::Multiple ||
                                          variable == MetaVariable::Kind::MultiCapture);
  }
  bool is_unnamed_terminal() const { return kind == Kind::Terminal && !named; }
};

struct PatternSource {
  std::string_view text;
  std::string_view selector;  // a kind: the part of the text that is meant; may be empty
  Strictness strictness = Strictness::Smart;
};

class Pattern {
 public:
  // Errors: Config, without a place. The variables' names are added to `slots`.
  static Result<Pattern> compile(const PatternSource& source, const Language& language,
                                 SlotTable& slots);

  // Bindings go to `env`; a failed match leaves none. `steps` is counted down; at zero it fails.
  bool matches(const FlatTree& tree, NodeIndex node, Environment& env, uint64_t& steps) const;
  // Where the matched part of the node ends: `run --rewrite` leaves what the pattern ignored.
  uint32_t matched_end(const FlatTree& tree, NodeIndex node) const;

  // The one kind that it can match; nothing: any.
  std::optional<uint16_t> kind() const;
  bool has_variables() const { return has_variables_; }  // that are captured
  bool has_error() const;
  LiteralNeed need() const;

  const PatternNode& root() const { return root_; }
  std::optional<uint16_t> root_kind() const { return root_kind_; }
  Strictness strictness() const { return strictness_; }

 private:
  PatternNode root_;
  std::optional<uint16_t> root_kind_;
  Strictness strictness_ = Strictness::Smart;
  bool has_variables_ = false;
};

}  // namespace tinyarms::rules
