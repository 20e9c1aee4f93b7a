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

rules::RuleSources bundled_rule_sources() {
  rules::RuleSources sources;
  for (const EmbeddedFile& file : embedded_code_rules()) {
    // The pack's files are called <language>-<rule>.yml; this room's own are no advice to people.
    if (file.name.find('-') == std::string_view::npos) continue;
    sources.rules.push_back({std::string(file.name), std::string(file.bytes)});
  }
  return sources;
}

}  // namespace tinyarms::tiers
