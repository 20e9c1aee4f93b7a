#include "model.h"

#include <fmt/format.h>

#include <cmath>

namespace tinyarms::bench {
namespace {

constexpr uint32_t kContext = 4096;  // the product's default
constexpr int kSeedsMax = 20;

}  // namespace

Result<std::unique_ptr<Model>> Model::open(std::string name, const std::filesystem::path& file,
                                           int threads) {
  std::unique_ptr<Model> model(new Model(std::move(name), file));
  auto weights = engine::LanguageModel::load(file);
  if (!weights) return weights.error();
  model->weights_ = std::move(*weights);
  auto generator = engine::Generator::create(
      *model->weights_, {.context_tokens = kContext, .batch_tokens = 512, .threads = threads});
  if (!generator) return generator.error();
  model->generator_ = std::move(*generator);
  return model;
}

Result<engine::Generation> Model::ask(const std::string& prompt, int tokens, uint32_t seed) {
  const std::vector<engine::ChatMessage> messages = {{"user", prompt}};
  const StopFlag never;
  size_t shown = 0;
  return generator_->generate(messages,
                              {.tokens_max = tokens, .temperature = 0.7, .seed = seed}, never,
                              [&](std::string_view piece) { shown += piece.size(); });
}

Result<Model::Rate> Model::decode(int tokens) {
  // The first token's logits come from the prompt, so one more makes `tokens` timed passes.
  for (; seed_ < kSeedsMax; ++seed_) {
    auto answer = ask("Write a very long and detailed story about a lighthouse keeper.",
                      tokens + 1, seed_);
    if (!answer) return answer.error();
    if (answer->completion_tokens != tokens + 1) continue;  // ended by itself: another seed
    return Rate{tokens / answer->decode_seconds, tokens, answer->prompt_tokens};
  }
  return Error{ErrorCode::Internal, "no seed gives an answer that is long enough", file_.string(),
               ""};
}

Result<Model::Rate> Model::prefill(int tokens) {
  const auto prompt_of = [](int words) {
    std::string prompt;
    for (int i = 0; i < words; ++i) prompt += " a";
    return prompt;
  };
  // A word is one token or a few, by vocabulary: two short prompts tell.
  auto few = ask(prompt_of(4), 1, 0);
  if (!few) return few.error();
  auto more = ask(prompt_of(8), 1, 0);
  if (!more) return more.error();
  const double per_word = (more->prompt_tokens - few->prompt_tokens) / 4.0;
  const double around = few->prompt_tokens - 4 * per_word;
  const int words = static_cast<int>(std::floor((tokens - around) / std::max(per_word, 0.25)));
  auto answer = ask(prompt_of(std::max(words, 1)), 1, 0);
  if (!answer) return answer.error();
  return Rate{answer->prompt_tokens / answer->prefill_seconds, answer->prompt_tokens, 0};
}

}  // namespace tinyarms::bench
