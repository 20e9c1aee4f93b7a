#include "engine/choice_scorer.h"

#include <fmt/format.h>
#include <llama-cpp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>

#include "base/utf8.h"
#include "engine/chat_template.h"
#include "engine/llama_backend.h"
#include "engine/llama_open.h"
#include "engine/prompt_tokens.h"
#include "engine/token_statistics.h"

namespace tinyarms::engine {
namespace {

class LlamaChoiceScorer final : public ChoiceScorer {
 public:
  LlamaChoiceScorer(const LanguageModel& model, Result<ChatTemplate> chat)
      : model_(model),
        vocabulary_(llama_model_get_vocab(model.handle())),
        chat_(std::move(chat)) {}

  Result<void> open(const GeneratorOptions& options) {
    llama_context_params parameters = llama_context_default_params();
    parameters.n_ctx = std::clamp(options.context_tokens, 1u, model_.facts().context_tokens);
    parameters.n_batch = std::clamp(options.batch_tokens, 1u, parameters.n_ctx);
    parameters.n_ubatch = parameters.n_batch;
    parameters.n_seq_max = 1;
    parameters.n_outputs_max = 1;
    parameters.n_threads = resolve_threads(options.threads);
    parameters.n_threads_batch = parameters.n_threads;
    parameters.no_perf = true;
    auto context = open_llama_context(model_.handle(), parameters, model_.facts().path);
    if (!context) return context.error();
    context_ = std::move(*context);
    batch_tokens_ = parameters.n_batch;
    return {};
  }

  Result<ChoiceScores> score(const ChoicePrompt& prompt, std::span<const std::string> options,
                             const StopFlag& stop) override {
    const auto start = std::chrono::steady_clock::now();
    auto tokens = tokenize_prompt(prompt);
    if (!tokens) return tokens.error();
    auto continuations = tokenize_options(options);
    if (!continuations) return continuations.error();
    size_t longest = 0;
    for (const auto& each : *continuations) longest = std::max(longest, each.size());
    const size_t room = llama_n_ctx(context_.get());
    if (tokens->size() + longest > room) {
      return Error{ErrorCode::ContextTooLong,
                   fmt::format("the question has {} tokens, the context holds {}",
                               tokens->size() + longest, room),
                   model_.facts().path.string(), "shorten it or use a longer context"};
    }

    if (auto filled = fill(*tokens, shared_tokens(prompt, *tokens), stop); !filled) {
      kept_.clear();
      return filled.error();
    }
    const std::vector<float> first = logits();
    ChoiceScores scores;
    scores.prompt_tokens = static_cast<int>(tokens->size());
    for (const auto& continuation : *continuations) {
      auto sum = follow(continuation, first, tokens->size(), stop);
      if (!sum) return sum.error();
      scores.logprobs.push_back(*sum);
      scores.option_tokens += static_cast<int>(continuation.size());
    }
    scores.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return scores;
  }

 private:
  using Tokens = std::vector<llama_token>;

  Error failure(std::string what) const {
    return Error{ErrorCode::Internal, std::move(what), model_.facts().path.string(),
                 "use a shorter context or free some memory"};
  }

  Result<Tokens> tokenize_prompt(const ChoicePrompt& prompt) const {
    std::string text;
    for (const ChatMessage& message : prompt.messages) text += message.content;
    if (text.empty()) {
      return Error{ErrorCode::InvalidArgument, "there is nothing to answer", "", "ask a question"};
    }
    if (const auto offset = find_invalid_utf8(text)) {
      return Error{ErrorCode::InvalidArgument,
                   fmt::format("the text is not valid UTF-8 at byte {}", *offset), "",
                   "convert it to UTF-8"};
    }
    if (!prompt.plain) {
      if (!chat_) return chat_.error();
      auto rendered = tokenize_chat(vocabulary_, *chat_, prompt.messages);
      if (!rendered) return rendered.error();
      return std::move(rendered->tokens);
    }
    try {
      return tokenize_text(vocabulary_, text, {.special = true, .markup = false});
    } catch (const std::exception& problem) {
      return failure(fmt::format("the text cannot be tokenised: {}", problem.what()));
    }
  }

  Result<std::vector<Tokens>> tokenize_options(std::span<const std::string> options) const {
    std::vector<Tokens> all;
    for (const std::string& option : options) {
      Tokens tokens;
      try {
        tokens = tokenize_text(vocabulary_, option, {.special = false, .markup = false});
      } catch (const std::exception& problem) {
        return failure(fmt::format("an option cannot be tokenised: {}", problem.what()));
      }
      if (tokens.empty()) {
        return Error{ErrorCode::InvalidArgument, "an option is empty", "", "give it a text"};
      }
      all.push_back(std::move(tokens));
    }
    if (all.empty()) {
      return Error{ErrorCode::InvalidArgument, "there is no option", "", "give at least one"};
    }
    return all;
  }

  // How many of the tokens are of the shared bytes alone, and not of what follows them too. At
  // least one token is left to follow, whose logits are needed.
  size_t shared_tokens(const ChoicePrompt& prompt, const Tokens& tokens) const {
    if (!prompt.plain || prompt.shared_bytes == 0) return 0;
    std::string text;
    for (const ChatMessage& message : prompt.messages) text += message.content;
    text.resize(complete_utf8_prefix(std::string_view(text).substr(0, prompt.shared_bytes)));
    Tokens shared;
    try {
      shared = tokenize_text(vocabulary_, text, {.special = true, .markup = false});
    } catch (const std::exception&) {  // then nothing is shared: only time is lost
    }
    const auto differ = std::mismatch(shared.begin(), shared.end(), tokens.begin(), tokens.end());
    return std::min(static_cast<size_t>(differ.first - shared.begin()), tokens.size() - 1);
  }

  // Leaves the context holding these tokens, the first `shared` of them a batch of their own.
  Result<void> fill(const Tokens& tokens, size_t shared, const StopFlag& stop) {
    const std::span<const llama_token> all(tokens);
    llama_memory_t memory = llama_get_memory(context_.get());
    const bool kept = shared > 0 && std::ranges::equal(kept_, all.first(shared)) &&
                      llama_memory_seq_rm(memory, 0, static_cast<llama_pos>(shared), -1);
    if (!kept) {
      kept_.clear();
      llama_memory_clear(memory, false);
      if (auto done = decode(all.first(shared), stop); !done) return done;
      kept_.assign(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(shared));
    }
    return decode(all.subspan(shared), stop);
  }

  Result<void> decode(std::span<const llama_token> part, const StopFlag& stop) {
    Tokens tokens(part.begin(), part.end());  // libllama wants them mutable
    for (size_t at = 0; at < tokens.size(); at += batch_tokens_) {
      if (stop.raised()) return Error{ErrorCode::Interrupted, "stopped", "", ""};
      const size_t count = std::min<size_t>(batch_tokens_, tokens.size() - at);
      forget_last_words();
      const int code =
          llama_decode(context_.get(), llama_batch_get_one(tokens.data() + at,
                                                           static_cast<int32_t>(count)));
      if (code != 0) return failure(fmt::format("decoding failed ({}): {}", code, last_words()));
    }
    return {};
  }

  std::vector<float> logits() const {
    const float* begin = llama_get_logits_ith(context_.get(), -1);
    return {begin, begin + llama_vocab_n_tokens(vocabulary_)};
  }

  // The option's log-probability after the prompt, whose next-token logits are `first`. Leaves
  // the context as it was: the prompt alone.
  Result<double> follow(const Tokens& continuation, const std::vector<float>& first, size_t prompt,
                        const StopFlag& stop) {
    double sum = 0;
    std::vector<float> here = first;
    for (size_t i = 0; i < continuation.size(); ++i) {
      if (i > 0) {
        const auto before = std::span(continuation).subspan(i - 1, 1);
        if (auto done = decode(before, stop); !done) return done.error();
        here = logits();
      }
      const LogitScan scan = scan_logits(here);
      if (!std::isfinite(scan.log_sum)) {
        return Error{ErrorCode::Corrupt, "the model's output is not a number",
                     model_.facts().path.string(), "fetch or import the model again"};
      }
      const double logit = here[static_cast<size_t>(continuation[i])];
      sum += logit - scan.top_logit - scan.log_sum;
    }
    if (continuation.size() > 1) {
      llama_memory_seq_rm(llama_get_memory(context_.get()), 0, static_cast<llama_pos>(prompt), -1);
    }
    return sum;
  }

  const LanguageModel& model_;
  const llama_vocab* vocabulary_;
  Result<ChatTemplate> chat_;  // its error is told when a conversation is to be scored
  llama_context_ptr context_;
  uint32_t batch_tokens_ = 0;
  Tokens kept_;  // of the shared beginning that the context holds
};

}  // namespace

Result<std::unique_ptr<ChoiceScorer>> ChoiceScorer::create(const LanguageModel& model,
                                                           const GeneratorOptions& options) {
  prepare_backend();
  auto scorer = std::make_unique<LlamaChoiceScorer>(
      model, ChatTemplate::of(model.handle(), model.facts().path));
  if (auto opened = scorer->open(options); !opened) return opened.error();
  return Result<std::unique_ptr<ChoiceScorer>>(std::move(scorer));
}

}  // namespace tinyarms::engine
