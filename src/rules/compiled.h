// A rule set as it is run. Everything here is const once RuleSet::load() has returned.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rules/finding.h"
#include "rules/literal_filter.h"
#include "rules/matcher.h"
#include "rules/rule_set.h"
#include "rules/template_text.h"
#include "rules/transform.h"

namespace tinyarms::rules {

// FixConfig's expandStart and expandEnd.
struct Expansion {
  Matcher matcher;
  StopBy stop_by;
};

struct Fixer {
  TemplateText text;
  std::optional<Expansion> start;
  std::optional<Expansion> end;
  std::string title;
};

// What a rule and a rewriter have in common.
struct RuleCore {
  Matcher matcher;
  std::vector<std::pair<Slot, Matcher>> constraints;
  std::vector<Transform> transforms;  // in the order of their dependence
};

struct Rewriter {
  std::string id;
  RuleCore core;
  Fixer fixer;
};

struct LabelConfig {
  Slot slot;
  bool primary = true;
  std::string message;
};

struct CompiledRule {
  RuleCore core;
  SlotTable slots;
  std::vector<std::unique_ptr<Utility>> utilities;
  std::vector<Rewriter> rewriters;
  std::vector<Fixer> fixers;
  TemplateText message;
  std::vector<LabelConfig> labels;
  bool has_labels = false;
  size_t formula = 0;             // of its language's filter
  bool end_at_pattern = false;    // of_pattern(): the fix replaces what the pattern matched
};

// The rules of one language.
struct LanguageRules {
  const Language* language = nullptr;
  std::vector<uint32_t> rules;
  LiteralFilter filter;
  uint32_t symbols = 0;  // of the grammar; ERROR counts as one more
  // By place in `rules`: the symbols of nodes that the rule may match.
  std::vector<std::vector<uint32_t>> symbols_of;
};

struct RuleSetParts {
  std::vector<RuleInfo> infos;
  std::vector<CompiledRule> rules;  // beside `infos`
  std::vector<std::unique_ptr<Utility>> globals;
  std::deque<LanguageRules> languages;
  std::vector<RuleProblem> problems;
  std::vector<RuleProblem> notices;

  const LanguageRules* find(const Language& language) const {
    for (const LanguageRules& rules_of : languages) {
      if (rules_of.language == &language) return &rules_of;
    }
    return nullptr;
  }
};

}  // namespace tinyarms::rules
