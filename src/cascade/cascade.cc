#include "cascade/cascade.h"

#include <fmt/format.h>

namespace tinyarms::cascade {
namespace {

bool ends_climb(Decision decision) {
  return decision == Decision::Accept || decision == Decision::Interrupt;
}

}  // namespace

Cascade::Cascade(std::vector<std::unique_ptr<Tier>> tiers, const Policy& policy,
                 const Clock& clock)
    : tiers_(std::move(tiers)), policy_(policy), clock_(clock) {}

Reply Cascade::run(const Request& request, const StopFlag& stop, Listener& listener) {
  Reply reply;
  for (const auto& tier : tiers_) {
    Step step = climb(request, *tier, reply.trace, stop, listener);
    listener.step_finished(step);
    const Decision decision = step.decision;
    if (step.attempt.answered) reply.winner = reply.trace.size();
    reply.trace.push_back(std::move(step));
    reply.sure = decision == Decision::Accept;
    reply.interrupted = decision == Decision::Interrupt;
    if (ends_climb(decision)) break;
  }
  return reply;
}

Step Cascade::climb(const Request& request, Tier& tier, const Trace& so_far, const StopFlag& stop,
                    Listener& listener) {
  Step step;
  step.level = tier.level();
  if (stop.raised()) {
    step.decision = Decision::Interrupt;
    step.reason = "stopped before this tier was asked";
    return step;
  }
  if (auto why = skip_reason(request, tier, so_far)) {
    step.decision = Decision::Skip;
    step.reason = std::move(*why);
    return step;
  }

  listener.tier_started(tier.level(), tier.describe());
  const double start = clock_.monotonic_seconds();
  Result<Attempt> attempt = tier.attempt(request, so_far, stop, listener);
  step.seconds = clock_.monotonic_seconds() - start;
  if (!attempt) {
    const bool stopped = attempt.error().code == ErrorCode::Interrupted;
    step.decision = stopped ? Decision::Interrupt : Decision::Fail;
    step.reason = attempt.error().message();
    step.error = attempt.error().code;
    return step;
  }

  step.attempt = std::move(*attempt);
  step.attempt.cost.seconds = step.seconds;
  if (step.attempt.finish == Finish::Interrupted && step.attempt.answer.empty()) {
    step.attempt.answered = false;  // nothing was written: a draft from below stays the reply
    step.decision = Decision::Interrupt;
    step.reason = step.attempt.reason.empty() ? "stopped before the first word"
                                              : step.attempt.reason;
    return step;
  }
  if (!step.attempt.answered) {
    step.decision = Decision::Abstain;
    step.reason = step.attempt.reason;
    return step;
  }
  Verdict verdict = policy_.judge(request, step.level, step.attempt);
  step.confidence = verdict.confidence.value;
  step.calibrated = verdict.confidence.calibrated;
  step.threshold = verdict.threshold;
  if (step.attempt.finish == Finish::Interrupted) {
    step.decision = Decision::Interrupt;
    step.reason = "stopped while answering; the text so far is kept";
    return step;
  }
  step.decision = verdict.accept ? Decision::Accept : Decision::Escalate;
  step.reason = std::move(verdict.reason);
  return step;
}

std::optional<std::string> Cascade::skip_reason(const Request& request, const Tier& tier,
                                                const Trace& so_far) const {
  const Level level = tier.level();
  if (request.only_level && level != *request.only_level) {
    return fmt::format("only {} was asked for", level_name(*request.only_level));
  }
  if (!request.only_level && request.level_max && level > *request.level_max) {
    return fmt::format("above the highest tier allowed, {}", level_name(*request.level_max));
  }
  return tier.skip_reason(request, so_far);
}

Trace Cascade::plan(const Request& request) const {
  Trace trace;
  for (const auto& tier : tiers_) {
    Step step;
    step.level = tier->level();
    step.attempt.source = tier->describe();
    auto why = skip_reason(request, *tier, trace);
    step.decision = why ? Decision::Skip : Decision::Escalate;
    step.reason = why ? std::move(*why) : "would be asked";
    trace.push_back(std::move(step));
  }
  return trace;
}

}  // namespace tinyarms::cascade
