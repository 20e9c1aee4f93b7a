// Rules in ast-grep's YAML form, compiled. Loading never fails as a whole: a wrong rule is told of
// in problems() and the others work. Follows ast-grep 0.51.1 (crates/config), with these
// differences: unknown top-level keys are noticed and ignored, utility ids may hold any character,
// and regexes are RE2 (no look-around; \w, \d and \s know Unicode, \b only ASCII).
//
// A RuleSet is const after loading and may be used by any number of threads, each with its own
// Scratch. Limits: kYamlBytesMax and kYamlDepthMax per file, kPatternBytesMax per pattern.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/finding.h"

namespace tinyarms::rules {

inline constexpr size_t kPatternBytesMax = 64 << 10;

struct RuleSource {
  std::string name;  // of the file, for messages
  std::string bytes;
};

struct RuleSources {
  std::vector<RuleSource> rules;
  std::vector<RuleSource> utils;  // global utility rules
};

// Something wrong with, or odd about, a rule file. `where` of the error is "file:line:column".
struct RuleProblem {
  std::string rule;  // its id; empty where none could be read
  Error error;
};

struct RuleSetParts;  // the compiled rules; rules/compiled.h

class RuleSet {
 public:
  RuleSet();
  ~RuleSet();
  RuleSet(RuleSet&&) noexcept;
  RuleSet& operator=(RuleSet&&) noexcept;

  static RuleSet load(const RuleSources& sources);

  // One rule made of a pattern, as `ast-grep run` takes it. `rewrite` becomes its fix.
  struct PatternQuery {
    std::string pattern;
    std::string language;
    std::string selector;    // a kind; may be empty
    std::string strictness;  // cst, smart (the default), ast, relaxed, signature, template
    std::optional<std::string> rewrite;
  };
  static Result<RuleSet> of_pattern(const PatternQuery& query);

  std::span<const RuleInfo> rules() const;
  const RuleInfo* find(std::string_view id) const;
  const std::vector<RuleProblem>& problems() const;  // rules that are not in use
  const std::vector<RuleProblem>& notices() const;   // unknown keys and the like

  const RuleSetParts& parts() const { return *parts_; }

 private:
  std::unique_ptr<RuleSetParts> parts_;
};

}  // namespace tinyarms::rules
