#include "tiers/rule_findings.h"

#include <iterator>

#include "rules/scan.h"
#include "tiers/embedded_rules.h"

namespace tinyarms::tiers {
namespace {

// The rules of one language, compiled once: constant data that no start-up should pay for.
template <size_t kIndex>
const rules::RuleSet& rules_at(std::string_view prefix) {
  static const rules::RuleSet kRules = load_embedded_rules(prefix);
  return kRules;
}

const rules::RuleSet* rules_for(std::string_view language) {
  if (language == "python") return &rules_at<0>("python-");
  if (language == "javascript") return &rules_at<1>("javascript-");
  if (language == "typescript") return &rules_at<2>("typescript-");
  if (language == "cpp") return &rules_at<3>("cpp-");
  if (language == "go") return &rules_at<4>("go-");
  if (language == "rust") return &rules_at<5>("rust-");
  return nullptr;
}

std::string_view category_of(const rules::RuleInfo& rule) {
  const rules::YamlNode* category = rule.metadata.find("category");
  return category != nullptr ? std::string_view(category->scalar) : std::string_view();
}

void count(const rules::RuleInfo& rule, RuleFindings& found) {
  const std::string_view category = category_of(rule);
  ++found.findings;
  if (category == "bug") ++found.bug;
  if (category == "security") ++found.security;
  if (category == "modernise") ++found.modernise;
  if (category == "security" && rule.severity == rules::Severity::Error) ++found.banned_calls;
  found.ids.insert(rule.id);
}

}  // namespace

RuleFindings find_with_rules(std::span<const rules::CodeBlock> blocks) {
  RuleFindings found;
  rules::Scratch scratch;
  for (const rules::CodeBlock& block : blocks) {
    const rules::RuleSet* rules = rules_for(block.language);
    const rules::Language* language = rules::find_language(block.language);
    if (rules == nullptr || language == nullptr) continue;
    rules::ScanOptions options;
    options.language = language;
    options.details = false;
    options.bytes_max = kReviewedBytesMax;
    const rules::ScanResult result = rules::scan(*rules, block.code, options, scratch);
    using Outcome = rules::ScanResult::Outcome;
    if (result.outcome != Outcome::Scanned && result.outcome != Outcome::Unneeded) continue;
    ++found.blocks;
    for (const rules::Finding& finding : result.findings) count(*finding.rule, found);
  }
  return found;
}

}  // namespace tinyarms::tiers
