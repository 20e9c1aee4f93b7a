// A rule about code in ast-grep's YAML form, as far as simple matching goes: kind, regex, any,
// all, not, has, inside (with stopBy: neighbor, the default, or end). The rest of the form
// (pattern, follows, nthChild, …) is refused by name, so that a rule never means less than it
// says.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/syntax_tree.h"
#include "rules/yaml_document.h"

namespace tinyarms::rules {

class Matcher;

class CodeRule {
 public:
  // `rule` is the map under `rule:`. Errors: Config (unknown key or kind, bad regex), Unsupported
  // (a key of ast-grep's that this engine does not know yet); `where` is the place in the file.
  static Result<CodeRule> compile(std::string_view file, const YamlNode& rule,
                                  std::string_view language);
  ~CodeRule();
  CodeRule(CodeRule&&) noexcept;
  CodeRule& operator=(CodeRule&&) noexcept;

  // The lines of the matching nodes in document order; nothing where it would take too long.
  std::optional<std::vector<uint32_t>> find_lines(const SyntaxTree& tree) const;

  const std::string& language() const { return language_; }

 private:
  CodeRule(std::unique_ptr<const Matcher> matcher, std::string language);

  std::unique_ptr<const Matcher> matcher_;
  std::string language_;
};

}  // namespace tinyarms::rules
