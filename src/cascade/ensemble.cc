#include "cascade/ensemble.h"

#include <fmt/format.h>

#include <utility>

namespace tinyarms::cascade {
namespace {

// What is written for a choice that is yet to be made is nobody's to see.
class Unheard final : public Listener {
 public:
  bool shows(Level) const override { return false; }
};

void add_cost(const Cost& other, Cost& cost) {
  cost.prompt_tokens += other.prompt_tokens;
  cost.cached_tokens += other.cached_tokens;
  cost.completion_tokens += other.completion_tokens;
  cost.prefill_seconds += other.prefill_seconds;
  cost.decode_seconds += other.decode_seconds;
  cost.load_seconds += other.load_seconds;
  if (other.dollars) cost.dollars = cost.dollars.value_or(0) + *other.dollars;
}

void tell(Level level, const Attempt& attempt, Listener& listener) {
  if (attempt.cost.prompt_tokens > 0) listener.prompt_counted(level, attempt.cost.prompt_tokens);
  if (!attempt.logprobs.empty()) listener.tokens_generated(level, attempt.logprobs);
  if (!attempt.answer.empty()) listener.text_generated(level, attempt.answer);
}

void add_to_notice(std::string text, Attempt& attempt) {
  attempt.notice = attempt.notice.empty() ? std::move(text) : attempt.notice + "; " + text;
}

bool usable(const Result<Attempt>& attempt) { return attempt && attempt->answered; }

std::string what_was_wrong(const Result<Attempt>& attempt) {
  return attempt ? attempt->reason : attempt.error().message();
}

}  // namespace

std::string_view ensemble_rule_name(EnsembleRule rule) {
  switch (rule) {
    case EnsembleRule::Confidence: return "confidence";
    case EnsembleRule::Behaviour: return "behaviour";
  }
  return "";
}

Ensemble::Ensemble(std::unique_ptr<Tier> first, std::unique_ptr<Tier> second,
                   EnsembleOptions options)
    : first_(std::move(first)), second_(std::move(second)), options_(std::move(options)) {}

std::string Ensemble::describe() const {
  return fmt::format("{} and {}, one of both answers by {}", first_->describe(),
                     second_->describe(), ensemble_rule_name(options_.rule));
}

Route Ensemble::route(const Request& request, const Trace& so_far) const {
  return first_->route(request, so_far);
}

std::optional<std::string> Ensemble::skip_reason(const Request& request,
                                                 const Trace& so_far) const {
  return first_->skip_reason(request, so_far);
}

std::unique_ptr<Headstart> Ensemble::begin(const Request& request, const Trace& so_far) {
  return first_->begin(request, so_far);
}

bool Ensemble::first_alone(const Request& request, const Trace& so_far) const {
  return !request.model.empty() || request.made_to_order || request.prefix ||
         !route(request, so_far).name.empty() ||
         second_->skip_reason(request, so_far).has_value();
}

Result<Attempt> Ensemble::attempt_within(const Outlook& outlook, const Request& request,
                                         const Trace& so_far, const StopFlag& stop,
                                         Listener& listener) {
  if (first_alone(request, so_far)) {
    return first_->attempt_within(outlook, request, so_far, stop, listener);
  }
  Unheard nobody;
  // A draft that one of them gave up could not be compared: both write to the end. What a tier
  // above begins meanwhile would slow both down, so that only the second one calls for it.
  Outlook to_the_end{.may_climb = false, .threshold = outlook.threshold};
  to_the_end.headstart = outlook.headstart;
  Result<Attempt> first = first_->attempt_within(to_the_end, request, so_far, stop, nobody);
  const bool stopped = stop.raised() || (first && first->finish == Finish::Interrupted);
  if (stopped) {
    if (first && first->answered) {
      first->finish = Finish::Interrupted;
      tell(level(), *first, listener);
    }
    return first;
  }
  to_the_end.headstart = nullptr;
  to_the_end.writing = outlook.writing;
  Result<Attempt> second = second_->attempt_within(to_the_end, request, so_far, stop, nobody);
  if (!usable(first) && !usable(second)) return first;
  if (usable(first) != usable(second)) {
    Result<Attempt>& there = usable(first) ? first : second;
    const Result<Attempt>& missing = usable(first) ? second : first;
    Attempt one = std::move(*there);
    add_to_notice(fmt::format("the other of both models did not answer: {}",
                              what_was_wrong(missing)),
                  one);
    tell(level(), one, listener);
    return one;
  }
  Attempt taken = take_one(request, std::move(*first), std::move(*second));
  tell(level(), taken, listener);
  return taken;
}

Attempt Ensemble::take_one(const Request& request, Attempt first, Attempt second) const {
  const bool stopped = second.finish == Finish::Interrupted;
  Likeness likeness;
  if (options_.compare && !stopped) likeness = options_.compare(request, first, second);
  if (likeness.agreement) {
    first.evidence.set(signal::kEnsembleAgreement, *likeness.agreement);
    second.evidence.set(signal::kEnsembleAgreement, *likeness.agreement);
  }
  const Choice choice = stopped ? Choice{false, "stopped while the second wrote"}
                                : choose(first, second, likeness);
  Attempt& taken = choice.second ? second : first;
  Attempt& other = choice.second ? first : second;
  std::string account = fmt::format("{} over {}: {}", taken.source, other.source, choice.why);
  if (!likeness.problem.empty()) account += fmt::format(" ({})", likeness.problem);
  taken.evidence.set(signal::kEnsemble, std::move(account));
  if (stopped) taken.finish = Finish::Interrupted;
  add_cost(other.cost, taken.cost);
  taken.others.push_back(std::move(other));
  return std::move(taken);
}

Ensemble::Choice Ensemble::choose(const Attempt& first, const Attempt& second,
                                  const Likeness& likeness) const {
  std::string told;
  if (options_.rule == EnsembleRule::Behaviour) {
    if (likeness.first_holds && likeness.second_holds &&
        *likeness.first_holds != *likeness.second_holds) {
      const bool better = *likeness.second_holds > *likeness.first_holds;
      return {better, fmt::format("it keeps to {:.0f} % of the question's examples, the other to "
                                  "{:.0f} %",
                                  100 * (better ? *likeness.second_holds : *likeness.first_holds),
                                  100 * (better ? *likeness.first_holds : *likeness.second_holds))};
    }
    if (likeness.agreement == 1.0) return {false, "both come to the same"};
    told = likeness.agreement ? "they differ; " : "they cannot be compared; ";
  }
  const Confidence one = options_.estimator.estimate(level(), first);
  const Confidence two = options_.estimator.estimate(level(), second);
  if (!one.calibrated || !two.calibrated) {
    return {false, told + "confidences that are not both calibrated say nothing of each other, so "
                          "that the first stands"};
  }
  const bool surer = two.value > one.value;
  return {surer, told + fmt::format("calibrated confidence {:.3f} against {:.3f}",
                                    surer ? two.value : one.value, surer ? one.value : two.value)};
}

}  // namespace tinyarms::cascade
