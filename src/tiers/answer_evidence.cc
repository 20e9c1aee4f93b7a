#include "tiers/answer_evidence.h"

#include <optional>
#include <string>
#include <vector>

#include "calibration/margin_trace.h"
#include "rules/code.h"
#include "tiers/rule_findings.h"
#include "tiers/undefined_names.h"

namespace tinyarms::tiers {
namespace {

namespace signal = cascade::signal;

void add_token_evidence(const engine::AnswerStatistics& tokens, cascade::Evidence& evidence) {
  evidence.set(signal::kTokens, static_cast<double>(tokens.tokens));
  if (tokens.tokens == 0) return;  // no token, no statistics: missing is not zero
  evidence.set(signal::kProbabilityMean, tokens.probability_mean);
  evidence.set(signal::kProbabilityMin, tokens.probability_min);
  evidence.set(signal::kProbabilityQ10, tokens.probability_q10);
  evidence.set(signal::kSequenceLogprob, tokens.sequence_logprob);
  evidence.set(signal::kLogprobMean, tokens.logprob_mean);
  evidence.set(signal::kMarginMean, tokens.margin_mean);
  evidence.set(signal::kMarginMin, tokens.margin_min);
  evidence.set(signal::kMarginQ10, tokens.margin_q10);
  evidence.set(signal::kEntropyMean, tokens.entropy_mean);
  evidence.set(signal::kEntropyMax, tokens.entropy_max);
  evidence.set(signal::kLogitVarianceMean, tokens.logit_variance_mean);
}

// Without margins (a remote engine, a scripted one) nothing was measured.
void add_margin_trace(const std::vector<float>& margins, cascade::Evidence& evidence) {
  if (margins.empty()) return;
  std::string trace;
  for (const float margin : margins) calibration::append_margin(margin, trace);
  evidence.set(signal::kMarginTrace, std::move(trace));
}

// Every block whose language has a grammar must parse; without such a block nothing was measured.
void add_parse_evidence(const std::vector<rules::CodeBlock>& blocks, cascade::Evidence& evidence) {
  std::optional<bool> all_parse;
  for (const rules::CodeBlock& block : blocks) {
    const auto parses = rules::parses(block.code, block.language);
    if (!parses) continue;
    if (!all_parse) evidence.set(signal::kCodeLanguage, block.language);
    all_parse = all_parse.value_or(true) && *parses;
  }
  if (all_parse) evidence.set(signal::kCodeParses, *all_parse);
}

std::string join(const auto& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

void add_rule_evidence(const std::vector<rules::CodeBlock>& blocks, cascade::Evidence& evidence) {
  const RuleFindings found = find_with_rules(blocks);
  if (found.blocks == 0) return;
  evidence.set(signal::kRuleFindings, static_cast<double>(found.findings));
  evidence.set(signal::kRuleBug, static_cast<double>(found.bug));
  evidence.set(signal::kRuleSecurity, static_cast<double>(found.security));
  evidence.set(signal::kRuleModernise, static_cast<double>(found.modernise));
  evidence.set(signal::kBannedCalls, static_cast<double>(found.banned_calls));
  if (!found.ids.empty()) evidence.set(signal::kRuleIds, join(found.ids));
}

// The Python blocks of one answer share their names: the second often calls the first.
void add_name_evidence(const std::vector<rules::CodeBlock>& blocks, std::string_view asked,
                       cascade::Evidence& evidence) {
  std::string code;
  for (const rules::CodeBlock& block : blocks) {
    if (block.language == "python") code += block.code + "\n";
  }
  if (asked.empty() || code.empty()) return;
  const auto names = undefined_python_names(code, asked);
  if (!names) return;
  evidence.set(signal::kUndefinedNames, static_cast<double>(names->size()));
  if (!names->empty()) evidence.set(signal::kUndefinedNameList, join(*names));
}

}  // namespace

void add_code_evidence(std::string_view answer, cascade::Evidence& evidence,
                       std::string_view asked) {
  const std::vector<rules::CodeBlock> blocks = rules::extract_code_blocks(answer);
  add_parse_evidence(blocks, evidence);
  add_rule_evidence(blocks, evidence);
  add_name_evidence(blocks, asked, evidence);
}

void add_request_evidence(std::string_view question, cascade::Evidence& evidence) {
  const RuleFindings found = find_with_rules(rules::extract_code_blocks(question));
  if (found.blocks == 0) return;
  evidence.set(signal::kRequestFindings, static_cast<double>(found.findings));
  evidence.set(signal::kRequestBug, static_cast<double>(found.bug));
  evidence.set(signal::kRequestSecurity, static_cast<double>(found.security));
  if (!found.ids.empty()) evidence.set(signal::kRequestRuleIds, join(found.ids));
}

cascade::Evidence evidence_of(const engine::Generation& generation, std::string_view asked) {
  cascade::Evidence evidence;
  add_token_evidence(generation.statistics, evidence);
  add_margin_trace(generation.margins, evidence);
  evidence.set(signal::kFinished, generation.finish == engine::FinishReason::Stop);
  if (generation.finish == engine::FinishReason::Abandoned) {
    evidence.set(signal::kStoppedEarly, true);
    return evidence;  // code that ends in the middle says nothing
  }
  add_code_evidence(generation.text, evidence, asked);
  return evidence;
}

}  // namespace tinyarms::tiers
