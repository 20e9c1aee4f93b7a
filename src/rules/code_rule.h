// A rule object of ast-grep's (pattern, kind, regex, all, any, not, inside, has, …) that stands
// alone: without an id, utilities or a fix. What answer rules ask of the code in a question.
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

class CodeRule {
 public:
  // `rule` is the map under `rule:`. Errors: Config (unknown key or kind, bad regex or pattern),
  // Unsupported (no such language in this build); `where` is the place in the file.
  static Result<CodeRule> compile(std::string_view file, const YamlNode& rule,
                                  std::string_view language);
  ~CodeRule();
  CodeRule(CodeRule&&) noexcept;
  CodeRule& operator=(CodeRule&&) noexcept;

  // The lines of the matching nodes in document order; nothing where it would take too long.
  std::optional<std::vector<uint32_t>> find_lines(const SyntaxTree& tree) const;

  const std::string& language() const { return language_; }

 private:
  struct Compiled;
  CodeRule(std::unique_ptr<const Compiled> compiled, std::string language);

  std::unique_ptr<const Compiled> compiled_;
  std::string language_;
};

}  // namespace tinyarms::rules
