#include "engine/generator.h"

#include <fmt/format.h>
#include <llama-cpp.h>
#include <llama-ext.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/utf8.h"
#include "engine/chat_template.h"
#include "engine/draft_guesser.h"
#include "engine/draft_verdict.h"
#include "engine/llama_backend.h"
#include "engine/llama_open.h"
#include "engine/llama_sequence.h"
#include "engine/prompt_tokens.h"
#include "engine/sampler.h"
#include "engine/text_stream.h"
#include "engine/token_statistics.h"
#include "engine/vocabulary.h"

namespace tinyarms::engine {
namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

Result<void> check_request(std::span<const ChatMessage> messages, const GenerateOptions& options) {
  const auto invalid = [](std::string what, std::string hint) {
    return Error{ErrorCode::InvalidArgument, std::move(what), "", std::move(hint)};
  };
  if (messages.empty()) return invalid("there is nothing to answer", "ask a question");
  for (const ChatMessage& message : messages) {
    if (message.role != "system" && message.role != "user" && message.role != "assistant") {
      return invalid(fmt::format("a message's role is '{}'", message.role),
                     "use system, user or assistant");
    }
    if (const auto offset = find_invalid_utf8(message.content)) {
      return invalid(fmt::format("the text is not valid UTF-8 at byte {}", *offset),
                     "convert it to UTF-8");
    }
  }
  if (options.tokens_max < 1) return invalid("no token may be generated", "allow at least one");
  if (!std::isfinite(options.temperature) || options.temperature < 0) {
    return invalid(fmt::format("the temperature is {}", options.temperature),
                   "use 0 (greedy) or more");
  }
  if (!(options.draft.endorse_from > 0 && options.draft.endorse_from <= 1)) {
    return invalid(fmt::format("a draft is to be endorsed from {} on", options.draft.endorse_from),
                   "use a probability above 0 and up to 1");
  }
  return {};
}

class LlamaGenerator final : public Generator {
 public:
  LlamaGenerator(const LanguageModel& model, Result<ChatTemplate> chat)
      : model_(model),
        vocabulary_(llama_model_get_vocab(model.handle())),
        chat_(std::move(chat)) {}

  // Separate from the constructor because the context gets this object's address.
  Result<void> open(const GeneratorOptions& options) {
    llama_context_params parameters = llama_context_default_params();
    parameters.n_ctx = std::clamp(options.context_tokens, 1u, model_.facts().context_tokens);
    parameters.n_batch = std::clamp(options.batch_tokens, 1u, parameters.n_ctx);
    parameters.n_ubatch = parameters.n_batch;
    parameters.n_seq_max = 1;
    // Only the last logits of a batch are ever read: without this libllama reserves a whole
    // vocabulary for each of its tokens, 300 MB at 152 k.
    parameters.n_outputs_max = std::min(options.guesses_max + 1, parameters.n_batch);
    parameters.n_threads = resolve_threads(options.threads);
    parameters.n_threads_batch = parameters.n_threads;
    parameters.no_perf = true;
    parameters.abort_callback = [](void* self) {
      const StopFlag* stop =
          static_cast<LlamaGenerator*>(self)->stop_.load(std::memory_order_relaxed);
      return stop != nullptr && stop->raised();
    };
    parameters.abort_callback_data = this;
    auto context = open_llama_context(model_.handle(), parameters, model_.facts().path);
    if (!context) return context.error();
    context_ = std::move(*context);
    batch_tokens_ = parameters.n_batch;
    outputs_max_ = parameters.n_outputs_max;
    cores_ = options.cores;
    return {};
  }

  Result<Generation> generate(std::span<const ChatMessage> messages,
                              const GenerateOptions& options, const StopFlag& stop,
                              const std::function<void(std::string_view)>& on_text) override {
    if (auto valid = check_request(messages, options); !valid) return valid.error();
    if (!chat_) return chat_.error();
    const auto start = SteadyClock::now();
    if (auto fits = check_length(messages); !fits) return fits.error();
    auto prompt = tokenize_chat(vocabulary_, *chat_, messages);
    if (!prompt) return named(prompt.error());
    const size_t room = llama_n_ctx(context_.get());
    if (prompt->tokens.size() >= room) {
      return too_long(fmt::format("{}", prompt->tokens.size()), room);
    }

    stop_.store(&stop, std::memory_order_relaxed);
    auto generation = run(prompt->tokens, options, prompt->stops, stop, on_text, start);
    stop_.store(nullptr, std::memory_order_relaxed);
    return generation;
  }

  MemoryPlan memory_taken() const override {
    MemoryPlan taken;
    for (const auto& [type, bytes] : llama_get_memory_breakdown(context_.get())) {
      taken.weight_bytes += bytes.model;
      taken.kv_bytes += bytes.context;
      taken.compute_bytes += bytes.compute;
    }
    return taken;
  }

 private:
  Error named(Error error) const {
    if (error.where.empty()) error.where = model_.facts().path.string();
    return error;
  }

  Error too_long(const std::string& needed, size_t room) const {
    return Error{ErrorCode::ContextTooLong,
                 fmt::format("the prompt takes {} tokens and the context holds {}, of which one "
                             "must be left for the answer", needed, room),
                 model_.facts().path.string(),
                 "shorten the prompt or the files, or use a longer context"};
  }

  // A text of many megabytes is refused without tokenising it: no token is longer than the
  // vocabulary's longest.
  Result<void> check_length(std::span<const ChatMessage> messages) {
    size_t bytes = 0;
    for (const ChatMessage& message : messages) bytes += message.content.size();
    const size_t room = llama_n_ctx(context_.get());
    if (bytes / 16 < room) return {};
    if (longest_piece_ == 0) {
      std::string piece;
      for (llama_token token = 0; token < llama_vocab_n_tokens(vocabulary_); ++token) {
        piece.clear();
        append_piece(vocabulary_, token, piece);
        longest_piece_ = std::max(longest_piece_, piece.size());
      }
      longest_piece_ = std::max<size_t>(longest_piece_, 1);
    }
    if (bytes / longest_piece_ < room) return {};
    return too_long(fmt::format("at least {}", bytes / longest_piece_), room);
  }

  // What one answer is made of while it is written.
  struct Writing {
    const GenerateOptions& options;
    size_t prompt_tokens;
    Sampler sampler;
    TextStream stream;
    SteadyClock::time_point first_logits{};
    std::vector<TokenStatistics> statistics{};
    std::vector<int32_t> tokens{};
    std::string piece{};
  };

  Result<Generation> run(const std::vector<llama_token>& prompt, const GenerateOptions& options,
                         std::vector<std::string> stops, const StopFlag& stop,
                         const std::function<void(std::string_view)>& on_text,
                         SteadyClock::time_point start) {
    LlamaSequence sequence(context_.get(),
                           {.batch_tokens = batch_tokens_,
                            .outputs_max = outputs_max_,
                            .cores = cores_,
                            .place = model_.facts().path},
                           stop);
    stops.insert(stops.end(), options.stop.begin(), options.stop.end());
    Writing writing{.options = options,
                    .prompt_tokens = prompt.size(),
                    .sampler = Sampler(options.temperature, options.seed),
                    .stream = TextStream(std::move(stops), on_text)};
    Generation generation;
    auto finish = write(sequence, prompt, writing, generation.draft);
    if (!finish) return named(finish.error());
    if (*finish != FinishReason::Stop) writing.stream.finish();
    generation.finish = *finish;
    generation.prompt_tokens = static_cast<int>(prompt.size());
    generation.prefill_seconds =
        std::chrono::duration<double>(writing.first_logits - start).count();
    generation.text = writing.stream.text();
    generation.completion_tokens = static_cast<int>(writing.statistics.size());
    generation.statistics = summarise(writing.statistics);
    for (const TokenStatistics& token : writing.statistics) {
      generation.margins.push_back(token.margin());
    }
    generation.trail = {vocabulary_name(), std::move(writing.tokens)};
    generation.decode_seconds = seconds_since(writing.first_logits);
    return generation;
  }

  TokenLoop loop_of(Writing& writing) {
    return {.choose =
                [&writing](std::span<const float> logits, const LogitScan& scan) {
                  if (writing.tokens.empty()) writing.first_logits = SteadyClock::now();
                  return writing.sampler.draw(logits, scan);
                },
            .take = [this, &writing](int32_t token, const TokenStatistics& statistics) {
              return take(token, statistics, writing);
            }};
  }

  // A token of the answer: its evidence, its text, and whether it was the last.
  std::optional<FinishReason> take(int32_t token, const TokenStatistics& statistics,
                                   Writing& writing) {
    writing.statistics.push_back(statistics);
    writing.tokens.push_back(token);
    if (llama_vocab_is_eog(vocabulary_, token)) {
      writing.stream.finish();
      return FinishReason::Stop;
    }
    writing.piece.clear();
    append_piece(vocabulary_, token, writing.piece);
    if (writing.stream.push(writing.piece)) return FinishReason::Stop;
    const size_t generated = writing.tokens.size();
    const size_t room = llama_n_ctx(context_.get());
    if (generated >= static_cast<size_t>(writing.options.tokens_max) ||
        writing.prompt_tokens + generated >= room) {
      return FinishReason::Length;
    }
    const auto& give_up = writing.options.give_up;
    if (give_up && give_up(statistics.margin())) return FinishReason::Abandoned;
    return std::nullopt;
  }

  Result<FinishReason> write(LlamaSequence& sequence, const std::vector<llama_token>& prompt,
                             Writing& writing, std::optional<DraftReport>& report) {
    const DraftOptions& options = writing.options.draft;
    const TokenLoop loop = loop_of(writing);
    if (outputs_max_ < 2 || (!options.draft && !options.lookup)) {
      NoGuesses none;
      return decode_tokens(sequence, prompt, none, loop);
    }
    DraftTokens draft;
    if (options.draft) draft = draft_tokens(vocabulary_, vocabulary_name(), *options.draft);
    DraftGuesser guesser({.draft = draft.tokens,
                          .prompt = options.lookup_in_prompt ? prompt : std::vector<int32_t>(),
                          .lookup = options.lookup});
    const bool fits = prompt.size() + draft.tokens.size() < sequence.capacity();
    const bool judge = options.endorse_from < 1 && !draft.tokens.empty() && fits &&
                       options.draft && options.draft->ended;
    std::vector<int32_t> pending(prompt.begin(), prompt.end());
    std::optional<FinishReason> finish;
    bool endorsed = false;
    if (judge) {
      auto verdict = judge_draft(sequence, prompt, draft.tokens, std::log(options.endorse_from),
                                 loop);
      if (!verdict) return verdict.error();
      endorsed = verdict->endorsed;
      finish = write_judged(draft.tokens, *verdict, guesser, loop, pending);
    }
    if (!finish) {
      auto decoded = decode_tokens(sequence, pending, guesser, loop);
      if (!decoded) return decoded.error();
      finish = *decoded;
    }
    report.emplace();
    guesser.report(*report);
    report->same_vocabulary = draft.same_vocabulary;
    const auto parting = std::mismatch(draft.tokens.begin(), draft.tokens.end(),
                                       writing.tokens.begin(), writing.tokens.end());
    report->agreed = static_cast<int>(parting.first - draft.tokens.begin());
    const bool whole = !draft.tokens.empty() && parting.first == draft.tokens.end();
    report->endorsed = endorsed || (whole && draft.tokens.size() == writing.tokens.size());
    return *finish;
  }

  // The part of a judged draft that stands; what is still to be appended is left in `pending`.
  static std::optional<FinishReason> write_judged(std::span<const int32_t> draft,
                                                  const DraftVerdict& verdict,
                                                  DraftGuesser& guesser, const TokenLoop& loop,
                                                  std::vector<int32_t>& pending) {
    const size_t stands = verdict.endorsed ? draft.size() : verdict.agreed;
    for (size_t i = 0; i < verdict.tokens.size(); ++i) {
      guesser.judged(verdict.tokens[i], verdict.gaps[i], i < verdict.agreed);
    }
    for (size_t i = 0; i < stands; ++i) {
      if (auto end = loop.take(draft[i], verdict.tokens[i])) return end;
    }
    std::vector<int32_t> written(draft.begin(),
                                 draft.begin() + static_cast<std::ptrdiff_t>(stands));
    if (!verdict.endorsed) {
      written.push_back(verdict.own_token);
      if (auto end = loop.take(verdict.own_token, verdict.own)) return end;
    }
    guesser.skip_draft(written);
    pending.assign(1, written.back());
    return std::nullopt;
  }

  const std::string& vocabulary_name() {
    if (vocabulary_name_.empty()) vocabulary_name_ = vocabulary_fingerprint(vocabulary_);
    return vocabulary_name_;
  }

  const LanguageModel& model_;
  const llama_vocab* vocabulary_;
  Result<ChatTemplate> chat_;  // an error is told when something is to be generated
  llama_context_ptr context_;
  uint32_t batch_tokens_ = 0;
  size_t outputs_max_ = 1;
  CoreBudget* cores_ = nullptr;
  std::string vocabulary_name_;  // found out when first needed
  size_t longest_piece_ = 0;  // bytes; found out when first needed
  std::atomic<const StopFlag*> stop_{nullptr};
};

}  // namespace

Result<std::unique_ptr<Generator>> Generator::create(const LanguageModel& model,
                                                     const GeneratorOptions& options) {
  prepare_backend();
  auto generator = std::make_unique<LlamaGenerator>(
      model, ChatTemplate::of(model.handle(), model.facts().path));
  if (auto opened = generator->open(options); !opened) return opened.error();
  return Result<std::unique_ptr<Generator>>(std::move(generator));
}

}  // namespace tinyarms::engine
