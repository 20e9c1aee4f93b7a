#include "eval/model_subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/choice_scorer.h"
#include "engine/engine_info.h"
#include "tiers/answer_evidence.h"

namespace tinyarms::eval {
namespace {

namespace signal = cascade::signal;

std::vector<engine::ChatMessage> engine_chat_of(const Item& item) {
  std::vector<engine::ChatMessage> messages;
  for (const cascade::Message& message : item.messages) {
    const char* role = message.role == cascade::Role::System      ? "system"
                       : message.role == cascade::Role::Assistant ? "assistant"
                                                                  : "user";
    messages.push_back({role, message.content});
  }
  return messages;
}

// Of the softmax over the options alone: how sure the model is among them.
cascade::Evidence option_evidence(const std::vector<double>& logprobs, size_t best) {
  double sum = 0;
  for (const double logprob : logprobs) sum += std::exp(logprob - logprobs[best]);
  double entropy = 0;
  double second = 0;
  for (size_t i = 0; i < logprobs.size(); ++i) {
    const double p = std::exp(logprobs[i] - logprobs[best]) / sum;
    if (p > 0) entropy -= p * std::log(p);
    if (i != best) second = std::max(second, p);
  }
  cascade::Evidence evidence;
  evidence.set(signal::kOptionProbability, 1 / sum);
  evidence.set(signal::kOptionMargin, 1 / sum - second);
  evidence.set(signal::kOptionEntropy, entropy);
  evidence.set(signal::kSequenceLogprob, logprobs[best]);
  return evidence;
}

class ModelSubject final : public Subject {
 public:
  ModelSubject(ModelSubjectOptions options, std::unique_ptr<const engine::LanguageModel> model)
      : options_(std::move(options)), model_(std::move(model)) {}

  std::string name() const override { return options_.name; }

  std::string fingerprint() const override {
    const engine::EngineInfo info = engine::engine_info();
    return fmt::format("model {} ({}), context {}, threads {}, ggml {} {} [{}], the model's own "
                       "chat template",
                       options_.sha256, model_->facts().quantization, options_.context_tokens,
                       options_.threads, info.ggml_version, info.ggml_commit, info.features);
  }

  Result<Response> answer(const Item& item, const Sampling& sampling,
                          const StopFlag& stop) override {
    auto tier = item.mode == Mode::Choose ? choose(item, stop) : generate(item, sampling, stop);
    if (!tier) return tier.error();
    tier->tier = options_.name;
    tier->model_sha = options_.sha256;
    tier->quantization = model_->facts().quantization;
    return Response{{std::move(*tier)}};
  }

 private:
  engine::GeneratorOptions context() const {
    return {.context_tokens = options_.context_tokens, .threads = options_.threads};
  }

  Result<TierResponse> generate(const Item& item, const Sampling& sampling, const StopFlag& stop) {
    if (!generator_) {
      auto made = engine::Generator::create(*model_, context());
      if (!made) return made.error();
      generator_ = std::move(*made);
    }
    auto generation = generator_->generate(engine_chat_of(item),
                                           {.tokens_max = item.tokens_max,
                                            .temperature = sampling.temperature,
                                            .seed = sampling.seed,
                                            .stop = item.stop},
                                           stop, {});
    if (!generation) return generation.error();
    if (generation->finish == engine::FinishReason::Interrupted) {
      return Error{ErrorCode::Interrupted, "stopped", "", ""};
    }
    TierResponse tier;
    tier.evidence = tiers::evidence_of(*generation);
    tier.seconds = generation->prefill_seconds + generation->decode_seconds;
    tier.prompt_tokens = generation->prompt_tokens;
    tier.completion_tokens = generation->completion_tokens;
    tier.answer = std::move(generation->text);
    return tier;
  }

  Result<TierResponse> choose(const Item& item, const StopFlag& stop) {
    if (!scorer_) {
      auto made = engine::ChoiceScorer::create(*model_, context());
      if (!made) return made.error();
      scorer_ = std::move(*made);
    }
    const std::vector<engine::ChatMessage> messages = engine_chat_of(item);
    auto scores = scorer_->score(
        {.messages = messages, .plain = item.plain, .shared_bytes = item.shared_bytes},
        item.options, stop);
    if (!scores) return scores.error();
    const auto best = std::max_element(scores->logprobs.begin(), scores->logprobs.end());
    const auto index = static_cast<size_t>(best - scores->logprobs.begin());
    TierResponse tier;
    tier.answer = item.options[index];
    tier.evidence = option_evidence(scores->logprobs, index);
    tier.seconds = scores->seconds;
    tier.prompt_tokens = scores->prompt_tokens;
    tier.completion_tokens = scores->option_tokens;
    return tier;
  }

  ModelSubjectOptions options_;
  std::unique_ptr<const engine::LanguageModel> model_;
  std::unique_ptr<engine::Generator> generator_;
  std::unique_ptr<engine::ChoiceScorer> scorer_;
};

}  // namespace

Result<std::unique_ptr<Subject>> open_model_subject(const ModelSubjectOptions& options) {
  auto model = engine::LanguageModel::load(options.path);
  if (!model) return model.error();
  return Result<std::unique_ptr<Subject>>(
      std::make_unique<ModelSubject>(options, std::move(*model)));
}

}  // namespace tinyarms::eval
