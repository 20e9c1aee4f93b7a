#include "engine/generator.h"

#include <fmt/format.h>
#include <llama-cpp.h>
#include <llama-ext.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <optional>

#include "base/utf8.h"
#include "engine/chat_template.h"
#include "engine/llama_backend.h"
#include "engine/prompt_tokens.h"
#include "engine/sampler.h"
#include "engine/text_stream.h"
#include "engine/token_statistics.h"

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
    // Only the last token's logits are ever read: without this libllama reserves a whole
    // vocabulary for each token of a batch, 300 MB at 152 k.
    parameters.n_outputs_max = 1;
    parameters.n_threads = resolve_threads(options.threads);
    parameters.n_threads_batch = parameters.n_threads;
    parameters.no_perf = true;
    parameters.abort_callback = [](void* self) {
      const StopFlag* stop =
          static_cast<LlamaGenerator*>(self)->stop_.load(std::memory_order_relaxed);
      return stop != nullptr && stop->raised();
    };
    parameters.abort_callback_data = this;
    forget_last_words();
    try {
      // libllama wants a mutable model but changes nothing of it after loading.
      context_.reset(
          llama_init_from_model(const_cast<llama_model*>(model_.handle()), parameters));
    } catch (const std::exception& problem) {
      return no_context(problem.what());
    }
    if (!context_) return no_context(last_words());
    batch_tokens_ = parameters.n_batch;
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
    auto generation = run(prompt->tokens, options, prompt->stops, on_text, start);
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
  Error no_context(const std::string& words) const {
    // libllama tells a failed allocation only by its words.
    const bool memory = words.find("alloc") != std::string::npos;
    return Error{memory ? ErrorCode::OverBudget : ErrorCode::Internal,
                 fmt::format("no context could be made: {}", words), model_.facts().path.string(),
                 "use a shorter context or free some memory"};
  }

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

  Result<Generation> run(std::vector<llama_token>& prompt, const GenerateOptions& options,
                         std::vector<std::string> stops,
                         const std::function<void(std::string_view)>& on_text,
                         SteadyClock::time_point start) {
    llama_memory_clear(llama_get_memory(context_.get()), false);
    if (auto filled = prefill(prompt); !filled) return filled.error();

    Generation generation;
    generation.prompt_tokens = static_cast<int>(prompt.size());
    generation.prefill_seconds = seconds_since(start);
    const auto decode_start = SteadyClock::now();
    stops.insert(stops.end(), options.stop.begin(), options.stop.end());
    TextStream stream(std::move(stops), on_text);
    std::vector<TokenStatistics> statistics;
    auto finish = decode(generation.prompt_tokens, options, stream, statistics);
    if (!finish) return finish.error();
    generation.finish = *finish;
    generation.text = stream.text();
    generation.completion_tokens = static_cast<int>(statistics.size());
    generation.statistics = summarise(statistics);
    for (const TokenStatistics& token : statistics) generation.margins.push_back(token.margin());
    generation.decode_seconds = seconds_since(decode_start);
    return generation;
  }

  bool stopping() const {
    const StopFlag* stop = stop_.load(std::memory_order_relaxed);
    return stop != nullptr && stop->raised();
  }

  Error interrupted() const {
    return Error{ErrorCode::Interrupted, "stopped before the first token", "", ""};
  }

  Error decode_failed(int code) const {
    return Error{ErrorCode::Internal,
                 fmt::format("decoding failed ({}): {}", code, last_words()),
                 model_.facts().path.string(), "try again; if it stays, import the model again"};
  }

  // libllama's code: 0 for success, 2 where the abort callback said so.
  int compute(llama_token* tokens, size_t count) {
    forget_last_words();
    return llama_decode(context_.get(),
                        llama_batch_get_one(tokens, static_cast<int32_t>(count)));
  }

  Result<void> prefill(std::vector<llama_token>& prompt) {
    for (size_t at = 0; at < prompt.size(); at += batch_tokens_) {
      if (stopping()) return interrupted();
      const size_t count = std::min<size_t>(batch_tokens_, prompt.size() - at);
      const int code = compute(prompt.data() + at, count);
      if (code == 2) return interrupted();
      if (code != 0) return decode_failed(code);
    }
    if (stopping()) return interrupted();
    return {};
  }

  // The loop: logits → evidence → token → text, until something ends it.
  Result<FinishReason> decode(int prompt_tokens, const GenerateOptions& options,
                              TextStream& stream, std::vector<TokenStatistics>& statistics) {
    const auto vocabulary_size = static_cast<size_t>(llama_vocab_n_tokens(vocabulary_));
    const int room = static_cast<int>(llama_n_ctx(context_.get()));
    Sampler sampler(options.temperature, options.seed);
    std::string piece;
    while (true) {
      const std::span<const float> logits(llama_get_logits_ith(context_.get(), -1),
                                          vocabulary_size);
      const LogitScan scan = scan_logits(logits);
      if (!std::isfinite(scan.log_sum)) return not_numbers();
      llama_token token = sampler.draw(logits, scan);
      statistics.push_back(scan.choosing(logits[static_cast<size_t>(token)]));

      if (llama_vocab_is_eog(vocabulary_, token)) {
        stream.finish();
        return FinishReason::Stop;
      }
      piece.clear();
      append_piece(vocabulary_, token, piece);
      if (stream.push(piece)) return FinishReason::Stop;

      const int generated = static_cast<int>(statistics.size());
      const bool full = generated >= options.tokens_max || prompt_tokens + generated >= room;
      const int code = full || stopping() ? 0 : compute(&token, 1);
      if (code != 0 && code != 2) return decode_failed(code);
      if (full || code == 2 || stopping()) {
        stream.finish();
        return full ? FinishReason::Length : FinishReason::Interrupted;
      }
    }
  }

  Error not_numbers() const {
    return Error{ErrorCode::Corrupt, "the model's output is not a number",
                 model_.facts().path.string(), "fetch or import the model again"};
  }

  const LanguageModel& model_;
  const llama_vocab* vocabulary_;
  Result<ChatTemplate> chat_;  // an error is told when something is to be generated
  llama_context_ptr context_;
  uint32_t batch_tokens_ = 0;
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
