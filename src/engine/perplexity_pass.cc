#include "engine/perplexity_pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "base/utf8.h"
#include "engine/llama_backend.h"
#include "engine/llama_open.h"

namespace tinyarms::engine {

ChunkPass::ChunkPass(const LanguageModel& model)
    : model_(model),
      vocabulary_(llama_model_get_vocab(model.handle())),
      vocabulary_size_(static_cast<size_t>(llama_vocab_n_tokens(vocabulary_))) {}

Result<std::unique_ptr<ChunkPass>> ChunkPass::create(const LanguageModel& model,
                                                     const PassOptions& options) {
  std::unique_ptr<ChunkPass> pass(new ChunkPass(model));
  if (auto opened = pass->open(options); !opened) return opened.error();
  return pass;
}

Result<void> ChunkPass::open(const PassOptions& options) {
  const std::string place = model_.facts().path.string();
  if (llama_vocab_get_add_eos(vocabulary_)) {
    return Error{ErrorCode::Unsupported, "its vocabulary ends every text with a token", place,
                 "perplexity is measured over texts without an end"};
  }
  chunk_tokens_ = std::clamp(options.chunk_tokens, 4u, model_.facts().context_tokens);
  llama_context_params parameters = llama_context_default_params();
  parameters.n_ctx = chunk_tokens_;
  parameters.n_batch = chunk_tokens_;
  parameters.n_ubatch = chunk_tokens_;
  parameters.n_seq_max = 1;
  parameters.n_outputs_max = chunk_tokens_ - first();
  parameters.n_threads = resolve_threads(options.threads);
  parameters.n_threads_batch = parameters.n_threads;
  parameters.no_perf = true;
  parameters.cb_eval = options.observer;
  parameters.cb_eval_user_data = options.observer_data;
  parameters.abort_callback = [](void* self) {
    const StopFlag* stop = static_cast<ChunkPass*>(self)->stop_;
    return stop != nullptr && stop->raised();
  };
  parameters.abort_callback_data = this;
  auto context = open_llama_context(model_.handle(), parameters, place);
  if (!context) return context.error();
  context_ = std::move(*context);
  return {};
}

Result<std::vector<llama_token>> ChunkPass::tokenize(std::string_view text) const {
  if (const auto offset = find_invalid_utf8(text)) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("the text is not valid UTF-8 at byte {}", *offset), "",
                 "convert it to UTF-8"};
  }
  std::vector<llama_token> tokens;
  try {
    tokens = tokenize_text(vocabulary_, text, {.special = true, .markup = false});
  } catch (const std::exception& problem) {
    return Error{ErrorCode::Internal,
                 fmt::format("the text could not be tokenised: {}", problem.what()), "", ""};
  }
  if (tokens.size() < chunk_tokens_) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("the text has {} tokens, and a chunk takes {}", tokens.size(),
                             chunk_tokens_),
                 "", "give a longer text"};
  }
  tokens.resize(tokens.size() / chunk_tokens_ * chunk_tokens_);
  return tokens;
}

Result<std::span<const float>> ChunkPass::run(std::span<const llama_token> chunk,
                                              const StopFlag& stop) {
  llama_batch batch = llama_batch_init(static_cast<int32_t>(chunk.size()), 0, 1);
  for (size_t i = 0; i < chunk.size(); ++i) {
    batch.token[i] = chunk[i];
    batch.pos[i] = static_cast<llama_pos>(i);
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = 0;
    batch.logits[i] = i >= first();
  }
  batch.n_tokens = static_cast<int32_t>(chunk.size());
  if (llama_vocab_get_add_bos(vocabulary_)) batch.token[0] = llama_vocab_bos(vocabulary_);
  forget_last_words();
  std::string words;
  int status = -1;
  const float* logits = nullptr;
  stop_ = &stop;
  try {
    llama_memory_clear(llama_get_memory(context_.get()), true);
    status = llama_decode(context_.get(), batch);
    if (status == 0) logits = llama_get_logits(context_.get());
    words = last_words();
  } catch (const std::exception& problem) {
    words = problem.what();
  }
  stop_ = nullptr;
  llama_batch_free(batch);
  if (stop.raised()) return Error{ErrorCode::Interrupted, "stopped", "", ""};
  if (status != 0 || logits == nullptr) {
    return Error{ErrorCode::Internal, fmt::format("the model could not compute: {}", words),
                 model_.facts().path.string(), ""};
  }
  return std::span<const float>(logits, (chunk.size() - first()) * vocabulary_size_);
}

}  // namespace tinyarms::engine
