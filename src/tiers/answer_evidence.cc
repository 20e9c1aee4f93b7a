#include "tiers/answer_evidence.h"

#include "rules/code.h"

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

}  // namespace

// Every block whose language has a grammar must parse; without such a block nothing was measured.
void add_code_evidence(std::string_view answer, cascade::Evidence& evidence) {
  std::optional<bool> all_parse;
  for (const rules::CodeBlock& block : rules::extract_code_blocks(answer)) {
    const auto parses = rules::parses(block.code, block.language);
    if (!parses) continue;
    if (!all_parse) evidence.set(signal::kCodeLanguage, block.language);
    all_parse = all_parse.value_or(true) && *parses;
  }
  if (all_parse) evidence.set(signal::kCodeParses, *all_parse);
}

cascade::Evidence evidence_of(const engine::Generation& generation) {
  cascade::Evidence evidence;
  add_token_evidence(generation.statistics, evidence);
  evidence.set(signal::kFinished, generation.finish == engine::FinishReason::Stop);
  add_code_evidence(generation.text, evidence);
  return evidence;
}

}  // namespace tinyarms::tiers
