#include "tiers/embedded_rules.h"

namespace tinyarms::tiers {

rules::RuleSet load_embedded_rules(std::string_view prefix) {
  rules::RuleSources sources;
  for (const EmbeddedFile& file : embedded_code_rules()) {
    if (file.name.substr(0, prefix.size()) != prefix) continue;
    sources.rules.push_back({std::string(file.name), std::string(file.bytes)});
  }
  return rules::RuleSet::load(sources);
}

}  // namespace tinyarms::tiers
