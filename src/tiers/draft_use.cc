#include "tiers/draft_use.h"

#include <algorithm>

#include "tiers/prompt.h"

namespace tinyarms::tiers {
namespace {

namespace signal = cascade::signal;

// The newest answer of a language model below that was not good enough.
const cascade::Attempt* draft_below(const cascade::Trace& so_far) {
  for (auto step = so_far.rbegin(); step != so_far.rend(); ++step) {
    const bool escalated = step->decision == cascade::Decision::Escalate;
    if (escalated && step->attempt.answered && !step->attempt.tokens.ids.empty()) {
      return &step->attempt;
    }
  }
  return nullptr;
}

// Its own words: the list of sources below an answer was written by no model.
std::string without_sources(const cascade::Attempt& below) {
  std::string text = below.answer;
  if (below.evidence.text(signal::kSources)) {
    text.resize(std::min(text.rfind(kSourcesHeading), text.size()));
  }
  return text;
}

bool has_code(const cascade::Request& request) {
  return !request.files.empty() || request.question().find("```") != std::string::npos;
}

cascade::Speeds speeds_of(double prompt, double prefill_seconds, double tokens,
                          double decode_seconds) {
  if (!(prefill_seconds > 0) || !(decode_seconds > 0) || tokens < 2) return {};
  return {.prefill = prompt / prefill_seconds, .decode = (tokens - 1) / decode_seconds};
}

void add_evidence(const engine::DraftReport& report, cascade::Evidence& evidence) {
  if (report.tokens > 0) {
    evidence.set(signal::kDraftTokens, static_cast<double>(report.tokens));
    evidence.set(signal::kDraftChecked, static_cast<double>(report.checked));
    evidence.set(signal::kDraftAgreed, static_cast<double>(report.agreed));
    evidence.set(signal::kDraftEndorsed, report.endorsed);
    evidence.set(signal::kDraftOtherVocabulary, !report.same_vocabulary);
  }
  if (report.checked > 0) {
    evidence.set(signal::kDraftMatches, static_cast<double>(report.matches) / report.checked);
    evidence.set(signal::kDraftLogprobMean, report.logprob_mean);
    evidence.set(signal::kDraftMarginMean, report.margin_mean);
    evidence.set(signal::kDraftMarginMin, report.margin_min);
  }
  if (report.gap) evidence.set(signal::kDraftGap, *report.gap);
  if (report.guessed > 0) {
    evidence.set(signal::kGuessed, static_cast<double>(report.guessed));
    evidence.set(signal::kGuessedRight, static_cast<double>(report.guessed_right));
  }
}

}  // namespace

DraftPlan DraftJudge::plan(const cascade::Request& request, const cascade::Trace& so_far,
                           bool prompt_begun) const {
  DraftPlan plan;
  if (use_.speculate == DraftSetting::Off && use_.lookup == DraftSetting::Off) return plan;
  const bool code = has_code(request);
  plan.options.lookup_in_prompt =
      use_.lookup == DraftSetting::On || (use_.lookup == DraftSetting::Auto && code);
  plan.options.lookup = plan.options.lookup_in_prompt;
  // The scheduler has computed a conversation's earlier turns already, or what was computed ahead;
  // the context for drafts would compute it again.
  const bool begun = request.messages.size() > 2 || prompt_begun;
  if (begun && use_.lookup == DraftSetting::Auto) {
    plan.options.lookup = plan.options.lookup_in_prompt = false;
  }
  const cascade::Attempt* below = draft_below(so_far);
  if (below == nullptr || use_.speculate == DraftSetting::Off) return plan;

  plan.drafter = below->origin.model;
  if (begun && use_.speculate == DraftSetting::Auto) {
    plan.explanation = prompt_begun
                           ? "not tried: the prompt was begun elsewhere while the draft was written"
                           : "not tried: the conversation's earlier turns are computed elsewhere";
    return plan;
  }
  const std::lock_guard lock(mutex_);
  const auto known = agreement_.find(plan.drafter);
  const cascade::Cost& cost = below->cost;
  // Before this tier has answered once, the smaller model's speeds stand for the ratio of its own.
  const cascade::Speeds speeds =
      speeds_.decode > 0
          ? speeds_
          : speeds_of(static_cast<double>(cost.prompt_tokens), cost.prefill_seconds,
                      static_cast<double>(cost.completion_tokens), cost.decode_seconds);
  const cascade::DraftForecast forecast =
      cascade::foretell({.prompt_tokens = static_cast<double>(cost.prompt_tokens),
                         .draft_tokens = static_cast<double>(below->tokens.ids.size()),
                         .agreement = known != agreement_.end()
                                          ? known->second.chance()
                                          : cascade::AgreementMemory().chance(),
                         .speeds = speeds});
  plan.explanation = use_.speculate == DraftSetting::On ? "tried: it is switched on"
                                                        : forecast.explanation;
  if (use_.speculate == DraftSetting::Auto && !forecast.worth_it) return plan;
  plan.options.draft =
      engine::Draft{.text = without_sources(*below),
                    .trail = {below->tokens.vocabulary, below->tokens.ids},
                    .ended = below->finish == cascade::Finish::Stop};
  plan.options.endorse_from = use_.endorse_from;
  plan.options.lookup = use_.lookup != DraftSetting::Off;
  return plan;
}

void DraftJudge::learn(const DraftPlan& plan, const engine::Generation& generation,
                       cascade::Evidence& evidence) {
  if (plan.options.draft && !generation.draft) {
    evidence.set(signal::kDraftDecision, "not tried: what looks at drafts was busy or not there");
  } else if (!plan.explanation.empty()) {
    evidence.set(signal::kDraftDecision, plan.explanation);
  }
  if (generation.draft) add_evidence(*generation.draft, evidence);
  const std::lock_guard lock(mutex_);
  if (plan.options.draft && generation.draft && generation.draft->tokens > 0) {
    const engine::DraftReport& report = *generation.draft;
    agreement_[plan.drafter].add(report.agreed, report.agreed < report.tokens);
    return;  // its speed is not that of plain decoding
  }
  if (!plan.drafter.empty() && !plan.options.draft) agreement_[plan.drafter].skip();
  const cascade::Speeds measured =
      speeds_of(generation.prompt_tokens, generation.prefill_seconds,
                generation.completion_tokens, generation.decode_seconds);
  if (measured.decode > 0) speeds_ = measured;
}

}  // namespace tinyarms::tiers
