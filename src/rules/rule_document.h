// One YAML document as a rule or as a global utility rule.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/compiled.h"
#include "rules/rule_reader.h"
#include "rules/yaml_document.h"

namespace tinyarms::rules {

struct ReadRule {
  RuleInfo info;
  CompiledRule rule;
};

struct RuleDocument {
  std::string_view file;
  const YamlNode& node;
};

// Notices are added to `notices`. Errors: Config, Unsupported (a language that is not in this
// build), with the place in the file.
Result<ReadRule> read_rule(const RuleDocument& document, ReadingContext& context,
                           std::vector<RuleProblem>& notices);

// A global utility: its id, language, arguments; then, once all are known, its rule.
Result<std::unique_ptr<Utility>> declare_global(const RuleDocument& document);
Result<void> read_global(const RuleDocument& document, ReadingContext& context, Utility& utility,
                         std::vector<RuleProblem>& notices);

// `where` a problem is told of: the id of the document, empty where it has none.
std::string id_of(const YamlNode& document);

}  // namespace tinyarms::rules
