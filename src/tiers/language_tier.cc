#include "tiers/language_tier.h"

#include <fmt/format.h>

#include "tiers/answer_evidence.h"
#include "tiers/asking.h"
#include "tiers/order_evidence.h"
#include "tiers/prompt.h"
#include "tiers/retrieval.h"

namespace tinyarms::tiers {
namespace {

cascade::Finish finish_of(engine::FinishReason reason) {
  switch (reason) {
    case engine::FinishReason::Stop: return cascade::Finish::Stop;
    case engine::FinishReason::Length: return cascade::Finish::Length;
    case engine::FinishReason::Interrupted: return cascade::Finish::Interrupted;
    case engine::FinishReason::Abandoned: return cascade::Finish::Abandoned;
  }
  return cascade::Finish::Stop;
}

struct Generated {
  Answered answered;
  int turns_dropped = 0;
};

using AskModel = std::function<Result<Answered>(std::span<const engine::ChatMessage>)>;

struct Prompt {
  const cascade::Request& request;
  std::string_view system_prompt;
  std::vector<cascade::ContextPassage> passages;  // afterwards: those that were shown
  std::vector<engine::ChatMessage> messages;      // afterwards: what was shown
};

// A conversation outgrows its context sooner or later: passages that were found go first, the least
// fitting before the others, then its oldest turns, and the answer says so. A single question that
// does not fit is refused by the generator.
Result<Generated> generate_within_context(Prompt& prompt, const AskModel& ask) {
  Generated generated;
  const auto shown = [&] {
    return prompt.request.prefix
               ? std::vector<engine::ChatMessage>()
               : conversation(prompt.request, prompt.system_prompt, prompt.passages);
  };
  prompt.messages = shown();
  while (true) {
    auto answered = ask(prompt.messages);
    if (answered) {
      generated.answered = std::move(*answered);
      return generated;
    }
    if (answered.error().code != ErrorCode::ContextTooLong) return answered.error();
    if (!prompt.passages.empty()) {
      prompt.passages.pop_back();
      prompt.messages = shown();
      continue;
    }
    if (!drop_oldest_turn(prompt.messages)) return answered.error();
    ++generated.turns_dropped;
  }
}

// Whatever may name what the answer's code uses.
std::string told_to_model(const Prompt& prompt) {
  std::string told;
  for (const auto& message : prompt.request.messages) told += message.content + "\n";
  for (const auto& file : prompt.request.files) told += file.content + "\n";
  for (const auto& passage : prompt.passages) told += passage.content + "\n";
  return told;
}

// The port without a scheduler behind it, or with drafts: plain conversations only.
Result<Answered> ask_generator(engine::Generator& generator, const DraftPlan& plan,
                               const Asking& asking,
                               std::span<const engine::ChatMessage> messages) {
  const cascade::Request& request = asking.request;
  if (request.made_to_order) {
    return Error{ErrorCode::Unsupported, "this engine takes no tools, schemas or bare texts", "",
                 "ask without them"};
  }
  auto generation = generator.generate(
      messages,
      {.tokens_max = request.sampling.tokens_max,
       .temperature = request.sampling.temperature,
       .seed = request.sampling.seed,
       .stop = request.sampling.stop,
       .draft = plan.options,
       .scope = request.owner,
       .give_up = asking.give_up},
      asking.stop,
      [&](std::string_view piece) {
        if (asking.writing) asking.writing();
        asking.listener.text_generated(asking.level, piece);
      });
  if (!generation) return generation.error();
  Answered answered;
  answered.generation = std::move(*generation);
  return answered;
}

cascade::Cost cost_of(const Answered& answered) {
  const engine::Generation& generation = answered.generation;
  return {.prompt_tokens = generation.prompt_tokens,
          .cached_tokens = answered.cached_tokens,
          .completion_tokens = generation.completion_tokens,
          .prefill_seconds = generation.prefill_seconds,
          .decode_seconds = generation.decode_seconds};
}

// What looks at drafts knows neither orders nor bent distributions.
bool is_plain(const cascade::Request& request) {
  const cascade::Sampling& sampling = request.sampling;
  return !request.made_to_order && !sampling.bent() && sampling.top_k == 0 && sampling.top_p >= 1;
}

std::function<bool(float)> give_up_by(const EarlyAbort& watch) {
  if (!watch.test) return {};
  return [running = calibration::RunningMargin(*watch.test)](float margin) mutable {
    return running.add(margin);
  };
}

void tell_of_watch(const EarlyAbort& watch, const cascade::Request& request,
                   cascade::Attempt& attempt) {
  if (attempt.finish == cascade::Finish::Abandoned) {
    attempt.reason = fmt::format(
        "stopped after {} of at most {} tokens: the running test says it would end wrong ({}; {})",
        attempt.cost.completion_tokens, request.sampling.tokens_max,
        calibration::margin_test_text(*watch.test), watch.explanation);
  } else if (!watch.test && !watch.explanation.empty()) {
    attempt.evidence.set(cascade::signal::kNotWatched, watch.explanation);
  }
}

void tell_of_route(const cascade::Route& route, cascade::Attempt& attempt) {
  if (!route.name.empty()) attempt.evidence.set(cascade::signal::kRoute, route.name);
  if (!route.why.empty()) attempt.evidence.set(cascade::signal::kRouteReason, route.why);
}

void tell_of_turns(int dropped, cascade::Attempt& attempt) {
  if (dropped == 0) return;
  if (!attempt.notice.empty()) attempt.notice += "; ";
  attempt.notice +=
      fmt::format("the {} oldest turn(s) did not fit the context and were left out", dropped);
}

// Where there is a choice of models, whose trouble it is.
Error told_of(Error error, const ModelChoice& choice) {
  return choice.route.name.empty() ? error
                                   : error.wrap("the specialist for " + choice.route.name);
}

// Below the answer stands where its passages came from.
void add_sources(const Prompt& prompt, const Asking& asking, cascade::Attempt& attempt) {
  const bool cut = attempt.finish == cascade::Finish::Interrupted ||
                   attempt.finish == cascade::Finish::Abandoned;
  if (prompt.passages.empty() || cut) return;
  const std::string sources = std::string(kSourcesHeading) + source_list(prompt.passages);
  asking.listener.text_generated(asking.level, sources);
  attempt.answer += sources;
  attempt.evidence.set(cascade::signal::kSources, source_words(prompt.passages));
}

}  // namespace

LanguageTier::LanguageTier(LanguageTierOptions options, ModelShelf& shelf)
    : options_(std::move(options)),
      specialists_(options_.model, options_.specialists, options_.certainty_min),
      shelf_(shelf),
      drafts_(options_.drafts) {}

ModelChoice LanguageTier::choose(const cascade::Request& request,
                                 const cascade::Trace& so_far) const {
  if (request.model.empty() || !options_.resolve) return specialists_.choose(request, so_far);
  return {.model = options_.resolve(request.model)};
}

std::string LanguageTier::describe() const { return specialists_.describe(); }

std::optional<std::string> LanguageTier::skip_reason(const cascade::Request& request,
                                                     const cascade::Trace& so_far) const {
  if (choose(request, so_far).model.configured()) return std::nullopt;
  return fmt::format("not configured (set {}.model)", cascade::level_name(options_.level));
}

EarlyAbort LanguageTier::watch(const cascade::Outlook& outlook,
                               const cascade::Origin& origin) const {
  if (!outlook.may_climb || !options_.early_aborts) return {};
  return options_.early_aborts(options_.level, origin, outlook.threshold);
}

// The prompt as attempt_within() will make it, of copies: the request may be over before this is.
std::unique_ptr<cascade::Headstart> LanguageTier::begin(const cascade::Request& request,
                                                        const cascade::Trace& so_far) {
  const ModelRef model = choose(request, so_far).model;
  const bool possible = options_.prefetcher != nullptr && model.configured() && !model.problem;
  if (!possible || (is_plain(request) && !drafts_.may_ask_scheduler())) return nullptr;
  auto submit = [request, passages = cascade::find_passages(so_far),
                 system_prompt = options_.system_prompt](engine::CompletionEngine& engine,
                                                         const StopFlag& stop) {
    std::unique_ptr<engine::CompletionStream> stream;
    Prompt prompt{request, system_prompt, passages, {}};
    auto begun = generate_within_context(
        prompt, [&](std::span<const engine::ChatMessage> messages) -> Result<Answered> {
          auto submitted = submit_ahead(engine, request, stop, messages);
          if (!submitted) return submitted.error();
          stream = std::move(*submitted);
          return Answered{};
        });
    using Stream = Result<std::unique_ptr<engine::CompletionStream>>;
    return begun ? Stream(std::move(stream)) : Stream(begun.error());
  };
  return options_.prefetcher->begin({.file = model.path,
                                     .context_tokens = options_.context_tokens,
                                     .submit = std::move(submit)});
}

Result<cascade::Attempt> LanguageTier::attempt_within(const cascade::Outlook& outlook,
                                                      const cascade::Request& request,
                                                      const cascade::Trace& so_far,
                                                      const StopFlag& stop,
                                                      cascade::Listener& listener) {
  const ModelChoice choice = choose(request, so_far);
  const ModelRef& model = choice.model;
  if (model.problem) return *model.problem;
  auto loan = shelf_.take(model.path, options_.context_tokens);
  if (!loan) return told_of(loan.error(), choice);

  const bool plain = is_plain(request);
  const bool begun = outlook.headstart != nullptr && outlook.headstart->report().tokens > 0;
  const DraftPlan plan = plain ? drafts_.plan(request, so_far, begun) : DraftPlan{};
  const bool drafts = plan.options.draft || plan.options.lookup;
  cascade::Attempt attempt;
  attempt.source = model.name;
  attempt.origin = {.model = model.sha256,
                    .quantization = model.quantization,
                    .engine = options_.engine,
                    .sampler = cascade::sampler_of(request)};
  const EarlyAbort watched_by = watch(outlook, attempt.origin);
  if (drafts && outlook.headstart != nullptr) outlook.headstart->cancel();  // no use to drafts
  Asking asking{request, options_.level, stop, listener, {}, give_up_by(watched_by),
                outlook.writing};
  if (plain && loan->model) asking.vocabulary = loan->model->vocabulary;
  Prompt prompt{request, options_.system_prompt, cascade::find_passages(so_far), {}};
  auto generated = generate_within_context(
      prompt, [&](std::span<const engine::ChatMessage> messages) -> Result<Answered> {
        if (loan->completions != nullptr && !drafts) {
          return ask_scheduler(*loan->completions, asking, messages);
        }
        return ask_generator(*loan->generator, plan, asking, messages);
      });
  if (!generated) return generated.error();
  Answered& answered = generated->answered;
  engine::Generation& generation = answered.generation;

  attempt.answered = true;
  attempt.notice = choice.notice;
  attempt.finish = finish_of(generation.finish);
  attempt.stopped_by = std::move(answered.stopped_by);
  attempt.evidence = evidence_of(generation, told_to_model(prompt));
  attempt.cost = cost_of(answered);
  attempt.cost.load_seconds = loan->load_seconds;
  tell_of_route(choice.route, attempt);
  tell_of_turns(generated->turns_dropped, attempt);
  tell_of_watch(watched_by, request, attempt);
  drafts_.learn(plan, generation, attempt.evidence);
  attempt.tokens = {std::move(generation.trail.vocabulary), std::move(generation.trail.tokens)};
  attempt.answer = std::move(generation.text);
  attempt.tool_calls = std::move(answered.tool_calls);
  if (attempt.tool_calls.empty()) attempt.logprobs = std::move(answered.logprobs);
  add_order_evidence(request.order, attempt);
  if (request.made_to_order) return attempt;  // signals ask again, without the order
  add_signals(options_.signals,
              {.request = request,
               .so_far = so_far,
               .model = model,
               .context_tokens = options_.context_tokens,
               .messages = std::move(prompt.messages)},
              shelf_, stop, attempt);
  add_sources(prompt, asking, attempt);
  return attempt;
}

}  // namespace tinyarms::tiers
