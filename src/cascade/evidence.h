// Evidence: what a tier observed about its own answer, by name. It travels whole in the attempt
// and the trace; the policy turns it into one number. A missing signal is legal and means
// "not measured", which is different from zero.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tinyarms::cascade {

using EvidenceValue = std::variant<double, bool, std::string>;

class Evidence {
 public:
  // Replaces an earlier value of the same name; keeps the order of first insertion.
  void set(std::string_view name, EvidenceValue value);

  // The value where it is there and of that kind, else nothing.
  std::optional<double> number(std::string_view name) const;
  std::optional<bool> flag(std::string_view name) const;
  std::optional<std::string> text(std::string_view name) const;

  const std::vector<std::pair<std::string, EvidenceValue>>& items() const { return items_; }
  bool empty() const { return items_.empty(); }

 private:
  const EvidenceValue* find(std::string_view name) const;

  std::vector<std::pair<std::string, EvidenceValue>> items_;
};

// The names in use, in one place. Token statistics are over the answer's generated tokens;
// probabilities are of the unmodified softmax (temperature 1), logarithms natural.
namespace signal {
inline constexpr std::string_view kTokens = "tokens";                    // count
inline constexpr std::string_view kProbabilityMean = "p_mean";           // of chosen tokens
inline constexpr std::string_view kProbabilityMin = "p_min";             //
inline constexpr std::string_view kProbabilityQ10 = "p_q10";             // 10 % quantile
inline constexpr std::string_view kSequenceLogprob = "sequence_logprob"; // sum of logprobs
inline constexpr std::string_view kLogprobMean = "logprob_mean";         // per token
inline constexpr std::string_view kMarginMean = "margin_mean";           // p(top 1) − p(top 2)
inline constexpr std::string_view kMarginMin = "margin_min";             //
inline constexpr std::string_view kMarginQ10 = "margin_q10";             //
// Every token's, a character each (calibration/margin_trace.h).
inline constexpr std::string_view kMarginTrace = "margin_trace";
// The draft was given up by a running test, and the text is its beginning. Else, where a test was
// fitted and did not apply: why.
inline constexpr std::string_view kStoppedEarly = "stopped_early";
inline constexpr std::string_view kNotWatched = "not_watched";
inline constexpr std::string_view kEntropyMean = "entropy_mean";         // nats
inline constexpr std::string_view kEntropyMax = "entropy_max";           // nats
inline constexpr std::string_view kLogitVarianceMean = "logit_variance_mean";
// Of multiple choice by likelihood: over the softmax of the options' log-probabilities.
inline constexpr std::string_view kOptionProbability = "p_option";       // of the chosen one
inline constexpr std::string_view kOptionMargin = "margin_option";       // over the runner-up
inline constexpr std::string_view kOptionEntropy = "entropy_option";     // nats
// Of a draft from below that this tier looked at with its own weights (docs/escalation.md).
inline constexpr std::string_view kDraftTokens = "draft_tokens";     // in its vocabulary
inline constexpr std::string_view kDraftChecked = "draft_checked";   // of those, looked at
inline constexpr std::string_view kDraftAgreed = "draft_agreed";     // leading ones it would write
inline constexpr std::string_view kDraftMatches = "draft_matches";   // share of its own choices
inline constexpr std::string_view kDraftLogprobMean = "draft_logprob_mean";
inline constexpr std::string_view kDraftMarginMean = "draft_margin_mean";
inline constexpr std::string_view kDraftMarginMin = "draft_margin_min";
inline constexpr std::string_view kDraftGap = "draft_gap";           // logits, where they part
inline constexpr std::string_view kDraftEndorsed = "draft_endorsed"; // the draft is the answer
inline constexpr std::string_view kDraftOtherVocabulary = "draft_other_vocabulary";
inline constexpr std::string_view kDraftDecision = "draft_decision"; // why it was tried or not
inline constexpr std::string_view kGuessed = "guessed";              // tokens, by lookup
inline constexpr std::string_view kGuessedRight = "guessed_right";
// Of an answer made to order (cascade/order.h): whether it is what was asked for.
inline constexpr std::string_view kToolCalls = "tool_calls";            // count
inline constexpr std::string_view kKeepsToOrder = "keeps_to_order";     // tools known, schemas kept
inline constexpr std::string_view kOrderProblem = "order_problem";      // where it does not: why
// Of a remote answer: host and port of who gave it, and what was with the other addresses.
inline constexpr std::string_view kUpstream = "upstream";
inline constexpr std::string_view kUpstreamsPassed = "upstreams_passed";
inline constexpr std::string_view kBudget = "budget";  // what of the day's money is spent with it
inline constexpr std::string_view kFinished = "finished";         // ended by itself, not cut off
inline constexpr std::string_view kCodeLanguage = "code_language";  // of the first code block
inline constexpr std::string_view kCodeParses = "code_parses";      // every code block parses
// Of the bundled code rules over the answer's code blocks; missing where none could be looked at.
inline constexpr std::string_view kRuleFindings = "rule_findings";    // count of all findings
inline constexpr std::string_view kRuleBug = "rule_bug";              // of category bug
inline constexpr std::string_view kRuleSecurity = "rule_security";    // of category security
inline constexpr std::string_view kRuleModernise = "rule_modernise";  // of category modernise
inline constexpr std::string_view kBannedCalls = "banned_calls";  // of severity error, security
inline constexpr std::string_view kRuleIds = "rule_ids";              // which rules, by blanks
inline constexpr std::string_view kUndefinedNames = "undefined_names";  // count, Python
inline constexpr std::string_view kUndefinedNameList = "undefined_name_list";  // by blanks
// The same of the code that came with the question.
inline constexpr std::string_view kRequestFindings = "request_rule_findings";
inline constexpr std::string_view kRequestBug = "request_rule_bug";
inline constexpr std::string_view kRequestSecurity = "request_rule_security";
inline constexpr std::string_view kRequestRuleIds = "request_rule_ids";
inline constexpr std::string_view kRule = "rule";                   // id of the rule that matched
inline constexpr std::string_view kExact = "exact";          // the answer is right by construction
inline constexpr std::string_view kSimilarity = "similarity";       // cosine, [-1, 1]
inline constexpr std::string_view kGate = "gate";          // "none", or what differs: "order"
inline constexpr std::string_view kGateReason = "gate_reason";      // one sentence
inline constexpr std::string_view kSimilarityMin = "similarity_min";  // the threshold in force
inline constexpr std::string_view kCachedQuestion = "cached_question";
inline constexpr std::string_view kCachedLevel = "cached_tier";     // who answered it first
inline constexpr std::string_view kCachedConfidence = "cached_confidence";
// Name of the remembered answer that served, else of the one that this question's would be.
inline constexpr std::string_view kCacheEntry = "cache_entry";
// Of passages found in the user's own files.
inline constexpr std::string_view kPassageStrength = "passage_strength";      // [0, 1]
inline constexpr std::string_view kPassageSimilarity = "passage_similarity";  // cosine of the best
inline constexpr std::string_view kSources = "sources";  // "path:line path:line …", best first
// Of the head in use: code, general, maths, tools, about-my-code, and what the user added.
inline constexpr std::string_view kIntent = "intent";
inline constexpr std::string_view kIntentProbability = "intent_probability";  // calibrated
inline constexpr std::string_view kIntentMargin = "intent_margin";  // over the runner-up
// Of a level with several models (docs/specialists.md): the specialist that was asked, and why.
inline constexpr std::string_view kRoute = "route";               // empty: none
inline constexpr std::string_view kRouteReason = "route_reason";  // "maths 0.97 → MODEL"
// Of an ensemble: how alike its answers are, which one was taken, and why.
inline constexpr std::string_view kEnsembleAgreement = "ensemble_agreement";  // [0, 1]
inline constexpr std::string_view kEnsemble = "ensemble";
}  // namespace signal

}  // namespace tinyarms::cascade
