#include "tiers/tier_signals.h"

#include "engine/choice_scorer.h"

namespace tinyarms::tiers {
namespace {

signals::AskOptions ask_of(const ModelRef& model, uint32_t context_tokens, ModelShelf& shelf,
                           const StopFlag& stop) {
  if (!model.configured() || model.problem) return {};
  return [&model, context_tokens, &shelf, &stop](
             const std::string& question,
             std::span<const std::string> replies) -> Result<std::vector<double>> {
    auto loan = shelf.take(model.path, context_tokens);
    if (!loan) return loan.error();
    if (loan->weights == nullptr) {
      return Error{ErrorCode::Unsupported, "this model cannot be asked for likelihoods", "", ""};
    }
    auto scorer =
        engine::ChoiceScorer::create(*loan->weights, {.context_tokens = context_tokens});
    if (!scorer) return scorer.error();
    const std::vector<engine::ChatMessage> messages = {{"user", question}};
    auto scores = (*scorer)->score({.messages = messages}, replies, stop);
    if (!scores) return scores.error();
    return scores->logprobs;
  };
}

}  // namespace

void add_signals(const SignalSetup& setup, const SignalSubject& subject, ModelShelf& shelf,
                 const StopFlag& stop, cascade::Attempt& attempt) {
  const bool cut = attempt.finish == cascade::Finish::Interrupted ||
                   attempt.finish == cascade::Finish::Abandoned;
  if (setup.panel.empty() || cut) return;
  signals::Instruments lent{.judge = setup.judge};
  lent.ask_same = ask_of(subject.model, subject.context_tokens, shelf, stop);
  lent.ask_next = ask_of(setup.next_model, subject.context_tokens, shelf, stop);
  lent.sample = [&](double temperature, uint32_t seed) -> Result<std::string> {
    auto loan = shelf.take(subject.model.path, subject.context_tokens);
    if (!loan) return loan.error();
    auto generation = loan->generator->generate(
        subject.messages,
        {.tokens_max = subject.request.sampling.tokens_max,
         .temperature = temperature,
         .seed = seed,
         .stop = subject.request.sampling.stop},
        stop, {});
    if (!generation) return generation.error();
    return std::move(generation->text);
  };
  setup.panel.add_to(attempt.evidence,
                     {.request = subject.request,
                      .so_far = subject.so_far,
                      .answer = attempt.answer,
                      .stop = stop},
                     lent, *setup.clock);
}

}  // namespace tinyarms::tiers
