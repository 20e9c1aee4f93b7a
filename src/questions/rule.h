// One rule of a pack, read and checked.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/code_rule.h"
#include "questions/computation.h"
#include "rules/yaml_document.h"

namespace tinyarms::questions {

struct Rule {
  std::string id;
  std::string note;
  std::vector<std::string> questions;  // regexes; each must match the whole normalised prose
  std::vector<std::string> unless;     // regexes; one that matches the whole prose vetoes
  std::string answer;                  // template: {{name}} of captures, compute, table
  std::string otherwise;               // of a code rule: the answer where nothing is found
  const Computation* computation = nullptr;
  std::string table_key;  // the capture that is looked up in `table`, lower case
  std::map<std::string, std::string> table;
  bool table_keeps_case = false;  // %Y is not %y
  std::optional<rules::CodeRule> code_rule;
  std::vector<std::string> metavariables;  // of the code rule, as the answer names them: {{NAME}}

  bool needs_code() const {
    return code_rule.has_value() || (computation != nullptr && computation->needs_code);
  }
};

// Errors: Config or Unsupported, with the position and the rule's id.
Result<Rule> read_rule(std::string_view file, const rules::YamlNode& document);

// `text` with each {{name}} replaced by its variable; the names are known to exist.
std::string fill_template(std::string_view text, const Variables& variables);

}  // namespace tinyarms::questions
