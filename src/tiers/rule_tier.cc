#include "tiers/rule_tier.h"

#include <fmt/format.h>

#include "tiers/answer_evidence.h"

namespace tinyarms::tiers {
namespace {

std::optional<questions::RuleAnswer> ask_rules(const questions::QuestionEngine& engine,
                                           const cascade::Request& request) {
  if (auto answer = engine.answer(request.question())) return answer;
  // "Does this parse?" with one file given is about that file: rules read code from a fence.
  if (request.files.size() != 1) return std::nullopt;
  return engine.answer(
      fmt::format("{}\n~~~~~~~~\n{}\n~~~~~~~~\n", request.question(), request.files[0].content));
}

}  // namespace

std::string RuleTier::describe() const { return "rules about questions"; }

std::optional<std::string> RuleTier::skip_reason(const cascade::Request& request,
                                                 const cascade::Trace&) const {
  if (request.made_to_order) return "the answer must be made to order";
  return std::nullopt;
}

Result<cascade::Attempt> RuleTier::attempt(const cascade::Request& request, const cascade::Trace&,
                                           const StopFlag&, cascade::Listener& listener) {
  auto answer = ask_rules(engine_, request);
  if (!answer) {
    cascade::Attempt silent = cascade::Attempt::abstain("no rule matches the whole question");
    if (look_at_code_) add_request_evidence(request.question(), silent.evidence);
    return silent;
  }

  cascade::Attempt attempt;
  attempt.answered = true;
  attempt.answer = std::move(answer->answer);
  attempt.source = fmt::format("rule {}", answer->rule_id);
  attempt.notice = std::move(answer->note);
  attempt.evidence.set(cascade::signal::kRule, answer->rule_id);
  attempt.evidence.set(cascade::signal::kExact, true);
  listener.text_generated(level(), attempt.answer);
  return attempt;
}

}  // namespace tinyarms::tiers
