#include "engine/jitter.h"

#include <fmt/format.h>
#include <llama-cpp.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/chat_template.h"
#include "engine/llama_backend.h"
#include "engine/llama_open.h"
#include "engine/prompt_tokens.h"
#include "engine/token_statistics.h"

namespace tinyarms::engine {
namespace {

constexpr int kSequences = 4;

using Tokens = std::vector<llama_token>;

class LlamaJitterProbe final : public JitterProbe {
 public:
  LlamaJitterProbe(const LanguageModel& model, Result<ChatTemplate> chat)
      : model_(model),
        vocabulary_(llama_model_get_vocab(model.handle())),
        chat_(std::move(chat)) {}

  Result<void> open(const GeneratorOptions& options) {
    llama_context_params parameters = llama_context_default_params();
    // Each sequence holds the prompt and the answer.
    const uint32_t one = std::clamp(options.context_tokens, 1u, model_.facts().context_tokens);
    parameters.n_ctx = one * kSequences;
    parameters.n_batch = std::clamp(options.batch_tokens, 1u, one);
    parameters.n_ubatch = parameters.n_batch;
    parameters.n_seq_max = kSequences;
    parameters.n_outputs_max = kSequences;
    parameters.n_threads = resolve_threads(options.threads);
    parameters.n_threads_batch = parameters.n_threads;
    parameters.no_perf = true;
    auto context = open_llama_context(model_.handle(), parameters, model_.facts().path);
    if (!context) return context.error();
    context_ = std::move(*context);
    batch_.reset(new llama_batch(llama_batch_init(static_cast<int32_t>(
        std::max<uint32_t>(parameters.n_batch, kSequences)), 0, 1)));
    batch_tokens_ = parameters.n_batch;
    room_ = one;
    return {};
  }

  Result<JitterSample> measure(std::span<const ChatMessage> messages, int tokens_max,
                               const StopFlag& stop) override {
    if (messages.empty() || tokens_max < 1) {
      return Error{ErrorCode::InvalidArgument, "there is nothing to answer", "", "ask a question"};
    }
    if (!chat_) return chat_.error();
    auto prompt = tokenize_chat(vocabulary_, *chat_, messages);
    if (!prompt) return prompt.error();
    const Tokens& tokens = prompt->tokens;
    if (tokens.size() < 2 || tokens.size() + static_cast<size_t>(tokens_max) > room_) {
      return Error{ErrorCode::ContextTooLong,
                   fmt::format("the prompt has {} tokens, the context holds {} with its answer",
                               tokens.size(), room_),
                   model_.facts().path.string(), "use a longer context"};
    }
    stop_ = &stop;
    JitterSample sample;
    sample.prompt_tokens = static_cast<int>(tokens.size());
    Tokens answer;
    for (const Way way : kWays) {
      auto result = follow(way, tokens, answer, tokens_max);
      if (!result) return result.error();
      sample.ways[static_cast<size_t>(way)] = *result;
    }
    sample.answer_tokens = static_cast<int>(answer.size());
    return sample;
  }

 private:
  struct FreeBatch {
    void operator()(llama_batch* batch) const {
      llama_batch_free(*batch);
      delete batch;
    }
  };

  Error failure(std::string what) const {
    return Error{ErrorCode::Internal, std::move(what), model_.facts().path.string(),
                 "use a shorter context or free some memory"};
  }

  void forget(llama_pos from) {
    llama_memory_seq_rm(llama_get_memory(context_.get()), 0, from, -1);
  }

  // The tokens [begin, end) of sequence 0; logits of the last one.
  Result<void> prefill(const Tokens& tokens, size_t begin, size_t end) {
    for (size_t at = begin; at < end; at += batch_tokens_) {
      const size_t count = std::min<size_t>(batch_tokens_, end - at);
      batch_->n_tokens = static_cast<int32_t>(count);
      for (size_t i = 0; i < count; ++i) {
        set(i, tokens[at + i], static_cast<llama_pos>(at + i), 0, at + i + 1 == end);
      }
      if (auto done = compute(); !done) return done;
    }
    return {};
  }

  void set(size_t place, llama_token token, llama_pos position, llama_seq_id sequence,
           bool logits) {
    batch_->token[place] = token;
    batch_->pos[place] = position;
    batch_->n_seq_id[place] = 1;
    batch_->seq_id[place][0] = sequence;
    batch_->logits[place] = logits ? 1 : 0;
  }

  Result<void> compute() {
    if (stop_->raised()) return Error{ErrorCode::Interrupted, "stopped", "", ""};
    forget_last_words();
    const int code = llama_decode(context_.get(), *batch_);
    if (code != 0) return failure(fmt::format("decoding failed ({}): {}", code, last_words()));
    return {};
  }

  // The prompt in this way's manner; afterwards the context holds it in every sequence needed.
  Result<void> take_in(Way way, const Tokens& prompt) {
    llama_memory_t memory = llama_get_memory(context_.get());
    switch (way) {
      case Way::Cold:
      case Way::Batched:
        llama_memory_clear(memory, false);
        if (auto done = prefill(prompt, 0, prompt.size()); !done) return done;
        break;
      case Way::Warm:  // after Cold: its prompt is still there
        forget(static_cast<llama_pos>(prompt.size()) - 1);
        if (auto done = prefill(prompt, prompt.size() - 1, prompt.size()); !done) return done;
        break;
      case Way::Split:
        llama_memory_clear(memory, false);
        if (auto done = prefill(prompt, 0, prompt.size() / 2); !done) return done;
        if (auto done = prefill(prompt, prompt.size() / 2, prompt.size()); !done) return done;
        break;
    }
    for (int sequence = 1; way == Way::Batched && sequence < kSequences; ++sequence) {
      llama_memory_seq_cp(memory, 0, sequence, -1, -1);
    }
    return {};
  }

  // Cold fills `answer`; the other ways follow it.
  Result<WayResult> follow(Way way, const Tokens& prompt, Tokens& answer, int tokens_max) {
    if (auto done = take_in(way, prompt); !done) return done.error();
    const auto vocabulary_size = static_cast<size_t>(llama_vocab_n_tokens(vocabulary_));
    const size_t width = way == Way::Batched ? kSequences : 1;
    WayResult result;
    std::vector<TokenStatistics> statistics;
    for (size_t i = 0; i < static_cast<size_t>(tokens_max); ++i) {
      if (way != Way::Cold && i == answer.size()) break;
      // Sequence 0 is the first of a batch; after a prefill the last logits are the ones.
      const int32_t place = i == 0 ? -1 : 0;
      const std::span<const float> logits(llama_get_logits_ith(context_.get(), place),
                                          vocabulary_size);
      const LogitScan scan = scan_logits(logits);
      if (!std::isfinite(scan.log_sum)) {
        return Error{ErrorCode::Corrupt, "the model's output is not a number",
                     model_.facts().path.string(), "fetch or import the model again"};
      }
      if (way == Way::Cold) answer.push_back(scan.top_token);
      const llama_token token = answer[i];
      result.other_choices += token != scan.top_token ? 1 : 0;
      statistics.push_back(scan.choosing(logits[static_cast<size_t>(token)]));
      if (llama_vocab_is_eog(vocabulary_, token)) break;
      batch_->n_tokens = static_cast<int32_t>(width);
      for (size_t s = 0; s < width; ++s) {
        set(s, token, static_cast<llama_pos>(prompt.size() + i), static_cast<llama_seq_id>(s),
            true);
      }
      if (auto done = compute(); !done) return done.error();
    }
    result.statistics = summarise(statistics);
    return result;
  }

  const LanguageModel& model_;
  const llama_vocab* vocabulary_;
  Result<ChatTemplate> chat_;
  llama_context_ptr context_;
  std::unique_ptr<llama_batch, FreeBatch> batch_;
  const StopFlag* stop_ = nullptr;
  uint32_t batch_tokens_ = 0;
  uint32_t room_ = 0;
};

}  // namespace

std::string_view way_name(Way way) {
  switch (way) {
    case Way::Cold: return "cold";
    case Way::Warm: return "warm";
    case Way::Split: return "split";
    case Way::Batched: return "batched";
  }
  return "";
}

Result<std::unique_ptr<JitterProbe>> JitterProbe::create(const LanguageModel& model,
                                                         const GeneratorOptions& options) {
  prepare_backend();
  auto probe = std::make_unique<LlamaJitterProbe>(
      model, ChatTemplate::of(model.handle(), model.facts().path));
  if (auto opened = probe->open(options); !opened) return opened.error();
  return Result<std::unique_ptr<JitterProbe>>(std::move(probe));
}

}  // namespace tinyarms::engine
