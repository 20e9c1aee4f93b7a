#include "tiers/language_tier.h"

#include <fmt/format.h>

#include "tiers/answer_evidence.h"
#include "tiers/prompt.h"
#include "tiers/retrieval.h"

namespace tinyarms::tiers {
namespace {

cascade::Finish finish_of(engine::FinishReason reason) {
  switch (reason) {
    case engine::FinishReason::Stop: return cascade::Finish::Stop;
    case engine::FinishReason::Length: return cascade::Finish::Length;
    case engine::FinishReason::Interrupted: return cascade::Finish::Interrupted;
  }
  return cascade::Finish::Stop;
}

struct Generated {
  engine::Generation generation;
  int turns_dropped = 0;
};

struct Prompt {
  const cascade::Request& request;
  std::string_view system_prompt;
  std::vector<cascade::ContextPassage> passages;  // afterwards: those that were shown
  std::vector<engine::ChatMessage> messages;      // afterwards: what was shown
};

// A conversation outgrows its context sooner or later: passages that were found go first, the least
// fitting before the others, then its oldest turns, and the answer says so. A single question that
// does not fit is refused by the generator.
Result<Generated> generate_within_context(engine::Generator& generator, Prompt& prompt,
                                          const engine::GenerateOptions& options,
                                          const StopFlag& stop,
                                          const std::function<void(std::string_view)>& on_text) {
  Generated generated;
  prompt.messages = conversation(prompt.request, prompt.system_prompt, prompt.passages);
  while (true) {
    auto generation = generator.generate(prompt.messages, options, stop, on_text);
    if (generation) {
      generated.generation = std::move(*generation);
      return generated;
    }
    if (generation.error().code != ErrorCode::ContextTooLong) return generation.error();
    if (!prompt.passages.empty()) {
      prompt.passages.pop_back();
      prompt.messages = conversation(prompt.request, prompt.system_prompt, prompt.passages);
      continue;
    }
    if (!drop_oldest_turn(prompt.messages)) return generation.error();
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

}  // namespace

LanguageTier::LanguageTier(LanguageTierOptions options, ModelShelf& shelf)
    : options_(std::move(options)), shelf_(shelf), drafts_(options_.drafts) {}

ModelRef LanguageTier::choose_model(const cascade::Request& request,
                                    const cascade::Trace& so_far) const {
  if (!request.model.empty() && options_.resolve) return options_.resolve(request.model);
  const bool general = cascade::find_text(so_far, cascade::signal::kIntent) == "general";
  return general && options_.general_model.configured() ? options_.general_model : options_.model;
}

std::string LanguageTier::describe() const {
  if (!options_.general_model.configured()) return options_.model.describe();
  return fmt::format("{}, or {} for what is not code", options_.model.describe(),
                     options_.general_model.describe());
}

std::optional<std::string> LanguageTier::skip_reason(const cascade::Request& request,
                                                     const cascade::Trace& so_far) const {
  if (choose_model(request, so_far).configured()) return std::nullopt;
  return fmt::format("not configured (set {}.model)", cascade::level_name(options_.level));
}

Result<cascade::Attempt> LanguageTier::attempt(const cascade::Request& request,
                                               const cascade::Trace& so_far, const StopFlag& stop,
                                               cascade::Listener& listener) {
  const ModelRef model = choose_model(request, so_far);
  if (model.problem) return *model.problem;
  auto loan = shelf_.take(model.path, options_.context_tokens);
  if (!loan) return loan.error();

  DraftPlan plan = drafts_.plan(request, so_far);
  const engine::GenerateOptions options{.tokens_max = request.sampling.tokens_max,
                                        .temperature = request.sampling.temperature,
                                        .seed = request.sampling.seed,
                                        .stop = request.sampling.stop,
                                        .draft = plan.options,
                                        .scope = request.owner};
  Prompt prompt{request, options_.system_prompt, cascade::find_passages(so_far), {}};
  auto generated = generate_within_context(
      *loan->generator, prompt, options, stop,
      [&](std::string_view piece) { listener.text_generated(options_.level, piece); });
  if (!generated) return generated.error();
  engine::Generation& generation = generated->generation;

  cascade::Attempt attempt;
  attempt.answered = true;
  attempt.source = model.name;
  attempt.origin = {.model = model.sha256,
                    .quantization = model.quantization,
                    .engine = options_.engine,
                    .sampler = cascade::sampler_name(request.sampling)};
  attempt.finish = finish_of(generation.finish);
  attempt.evidence = evidence_of(generation, told_to_model(prompt));
  attempt.cost.prompt_tokens = generation.prompt_tokens;
  attempt.cost.completion_tokens = generation.completion_tokens;
  attempt.cost.prefill_seconds = generation.prefill_seconds;
  attempt.cost.decode_seconds = generation.decode_seconds;
  attempt.cost.load_seconds = loan->load_seconds;
  if (generated->turns_dropped > 0) {
    attempt.notice = fmt::format("the {} oldest turn(s) did not fit the context and were left out",
                                 generated->turns_dropped);
  }
  drafts_.learn(plan, generation, attempt.evidence);
  attempt.tokens = {std::move(generation.trail.vocabulary), std::move(generation.trail.tokens)};
  attempt.answer = std::move(generation.text);
  add_signals(options_.signals,
              {.request = request,
               .so_far = so_far,
               .model = model,
               .context_tokens = options_.context_tokens,
               .messages = std::move(prompt.messages)},
              shelf_, stop, attempt);
  if (!prompt.passages.empty() && attempt.finish != cascade::Finish::Interrupted) {
    const std::string sources = std::string(kSourcesHeading) + source_list(prompt.passages);
    listener.text_generated(options_.level, sources);
    attempt.answer += sources;
    attempt.evidence.set(cascade::signal::kSources, source_words(prompt.passages));
  }
  return attempt;
}

}  // namespace tinyarms::tiers
