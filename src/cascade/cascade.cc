#include "cascade/cascade.h"

#include <fmt/format.h>

#include <utility>

namespace tinyarms::cascade {
namespace {

bool ends_climb(Decision decision) {
  return decision == Decision::Accept || decision == Decision::Interrupt;
}

}  // namespace

Cascade::Cascade(std::vector<std::unique_ptr<Tier>> tiers, const Policy& policy,
                 const Clock& clock, Headstarts headstarts)
    : tiers_(std::move(tiers)), policy_(policy), clock_(clock), headstarts_(headstarts) {}

Reply Cascade::run(const Request& request, const StopFlag& stop, Listener& listener) const {
  Reply reply;
  const double started = clock_.monotonic_seconds();
  Ahead ahead;
  const auto take_step = [&](size_t tier, bool last_word) {
    const Climb climb{request, reply.trace, started, tier, last_word};
    Step step = ask(climb, ahead, stop, listener);
    settle(climb, ahead, step);
    listener.step_finished(step);
    const Decision decision = step.decision;
    if (step.attempt.answered && decision != Decision::Abstain) reply.winner = reply.trace.size();
    reply.trace.push_back(std::move(step));
    reply.sure = decision == Decision::Accept;
    reply.interrupted = decision == Decision::Interrupt;
    return decision;
  };
  for (size_t tier = 0; tier < tiers_.size(); ++tier) {
    if (ends_climb(take_step(tier, false))) break;
  }
  // So far there is one step a tier, so that the winner's place is its tier's.
  const Step* winner = reply.step();
  const bool beginning = winner != nullptr && winner->attempt.finish == Finish::Abandoned;
  if (beginning && !reply.interrupted) take_step(*reply.winner, true);
  return reply;
}

Step Cascade::ask(const Climb& climb, Ahead& ahead, const StopFlag& stop,
                  Listener& listener) const {
  Tier& tier = *tiers_[climb.tier];
  Step step;
  step.level = tier.level();
  step.started = seconds_spent(climb);
  if (stop.raised()) {
    step.decision = Decision::Interrupt;
    step.reason = "stopped before this tier was asked";
    return step;
  }
  if (auto why = skip_reason(climb, climb.tier)) {
    step.decision = Decision::Skip;
    step.reason = std::move(*why);
    return step;
  }

  listener.tier_started(tier.level(), tier.describe());
  const double start = clock_.monotonic_seconds();
  const std::optional<size_t> above = next_above(climb);
  Outlook outlook{.may_climb = above.has_value(),
                  .threshold = policy_.threshold(situation_of_answer(climb))};
  bool told = false;  // a tier may say more than once that it writes
  if (above && headstarts_.climbs != nullptr) {
    outlook.writing = [&] {
      if (!std::exchange(told, true)) begin_above(climb, *above, ahead);
    };
  }
  if (ahead.work && ahead.tier == climb.tier) {
    outlook.headstart = ahead.work.get();
    ahead.report = ahead.work->report();
  }
  Result<Attempt> attempt =
      tier.attempt_within(outlook, climb.request, climb.so_far, stop, listener);
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
  step.attempt.group = group_of(climb.request.group, climb.so_far);
  if (step.attempt.finish == Finish::Interrupted && step.attempt.answer.empty() &&
      step.attempt.tool_calls.empty()) {
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
  if (step.attempt.finish == Finish::Abandoned) {
    // A beginning is not judged: no number about it would say what the whole is worth.
    step.decision = Decision::Escalate;
    step.reason = step.attempt.reason;
    return step;
  }
  judge(climb, step);
  return step;
}

Situation Cascade::situation(const Climb& climb, size_t tier) const {
  return {.request = climb.request,
          .level = tiers_[tier]->level(),
          .so_far = climb.so_far,
          .seconds_spent = seconds_spent(climb)};
}

Situation Cascade::situation_of_answer(const Climb& climb) const {
  Situation at = situation(climb, climb.tier);
  at.route = tiers_[climb.tier]->route(climb.request, climb.so_far).name;
  return at;
}

void Cascade::judge(const Climb& climb, Step& step) const {
  Situation at = situation_of_answer(climb);
  at.may_climb = next_above(climb).has_value();
  Verdict verdict = policy_.judge(at, step.attempt);
  step.confidence = verdict.confidence.value;
  step.calibrated = verdict.confidence.calibrated;
  step.certified = verdict.confidence.certified;
  if (step.certified) step.certificate = verdict.confidence.certificate;
  step.threshold = verdict.threshold;
  if (step.attempt.finish == Finish::Interrupted) {
    step.decision = Decision::Interrupt;
    step.reason = "stopped while answering; the text so far is kept";
    return;
  }
  step.propensity = verdict.propensity;
  step.reason = std::move(verdict.reason);
  switch (verdict.action) {
    case Action::Keep: step.decision = Decision::Accept; break;
    case Action::Climb: step.decision = Decision::Escalate; break;
    case Action::Withhold: step.decision = Decision::Abstain; break;
  }
}

double Cascade::seconds_spent(const Climb& climb) const {
  return clock_.monotonic_seconds() - climb.started;
}

// Who would be asked next.
std::optional<size_t> Cascade::next_above(const Climb& climb) const {
  if (climb.last_word) return std::nullopt;
  for (size_t above = climb.tier + 1; above < tiers_.size(); ++above) {
    if (!skip_reason(climb, above)) return above;
  }
  return std::nullopt;
}

void Cascade::begin_above(const Climb& climb, size_t above, Ahead& ahead) const {
  if (ahead.work) return;
  const Level level = tiers_[climb.tier]->level();
  const std::string group = group_of(climb.request.group, climb.so_far);
  if (!headstarts_.always && !headstarts_.climbs->share(level, group).likely()) return;
  ahead.work = tiers_[above]->begin(climb.request, climb.so_far);
  ahead.tier = above;
  ahead.report.reset();
}

// After each step: what there is to learn from it, and what becomes of what was begun. Where the
// climb ends here, that is cancelled before anything else.
void Cascade::settle(const Climb& climb, Ahead& ahead, Step& step) const {
  const bool taken_up = ahead.work && ahead.tier == climb.tier;
  if (ahead.work && (taken_up || ends_climb(step.decision))) {
    ahead.work->cancel();
    SpentHeadstart spent{.level = tiers_[ahead.tier]->level(),
                         .used = false,
                         .report = ahead.report ? *ahead.report : ahead.work->report()};
    spent.used = taken_up && step.attempt.answered &&
                 (spent.report.load_seconds > 0 || step.attempt.cost.cached_tokens > 0);
    ahead.work.reset();
    step.reason += fmt::format("; {}", describe(spent));
    step.headstart = std::move(spent);
  }
  const bool judged = step.decision == Decision::Accept || step.decision == Decision::Escalate;
  if (headstarts_.climbs != nullptr && judged && step.level >= Level::L2 && next_above(climb)) {
    headstarts_.climbs->add(step.level, step.attempt.group, step.decision == Decision::Escalate);
  }
}

std::optional<std::string> Cascade::skip_reason(const Climb& climb, size_t index) const {
  const Request& request = climb.request;
  const Tier& tier = *tiers_[index];
  const Level level = tier.level();
  if (request.only_level && level != *request.only_level) {
    return fmt::format("only {} was asked for", level_name(*request.only_level));
  }
  if (request.only_level) return tier.skip_reason(request, climb.so_far);
  if (request.level_max && level > *request.level_max) {
    return fmt::format("above the highest tier allowed, {}", level_name(*request.level_max));
  }
  if (request.level_min && level >= Level::L2 && level < *request.level_min) {
    return fmt::format("the conversation is with {} now", level_name(*request.level_min));
  }
  if (auto why = policy_.skip_reason(situation(climb, index))) return why;
  return tier.skip_reason(request, climb.so_far);
}

Trace Cascade::plan(const Request& request) const {
  Trace trace;
  const double started = clock_.monotonic_seconds();
  for (size_t index = 0; index < tiers_.size(); ++index) {
    const Tier& tier = *tiers_[index];
    Step step;
    step.level = tier.level();
    step.attempt.source = tier.describe();
    auto why = skip_reason({request, trace, started, index}, index);
    step.decision = why ? Decision::Skip : Decision::Escalate;
    step.reason = why ? std::move(*why) : "would be asked";
    if (step.decision == Decision::Escalate) {
      const Route route = tier.route(request, trace);
      if (!route.why.empty()) step.attempt.evidence.set(signal::kRouteReason, route.why);
    }
    trace.push_back(std::move(step));
  }
  return trace;
}

}  // namespace tinyarms::cascade
