#include "engine/llama_sequence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "engine/llama_backend.h"

namespace tinyarms::engine {

LlamaSequence::LlamaSequence(llama_context* context, LlamaSequenceOptions options,
                             const StopFlag& stop)
    : context_(context),
      options_(std::move(options)),
      stop_(stop),
      vocabulary_size_(static_cast<size_t>(
          llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(context))))) {
  llama_memory_clear(llama_get_memory(context_), false);
}

Result<void> LlamaSequence::append(std::span<const int32_t> tokens, size_t outputs) {
  assert(outputs >= 1 && outputs <= options_.outputs_max && outputs <= tokens.size());
  // All outputs come from the last pass: the passes before it may not take their tokens away.
  while (tokens.size() > options_.batch_tokens) {
    const size_t count = std::min(options_.batch_tokens, tokens.size() - outputs);
    if (auto done = decode(tokens.first(count), 1); !done) return done;
    tokens = tokens.subspan(count);
  }
  return decode(tokens, outputs);
}

Result<void> LlamaSequence::decode(std::span<const int32_t> tokens, size_t outputs) {
  const Error stopped{ErrorCode::Interrupted, "stopped before the first token", "", ""};
  if (stop_.raised()) return stopped;
  tokens_.assign(tokens.begin(), tokens.end());
  positions_.resize(tokens.size());
  wanted_.assign(tokens.size(), 0);
  for (size_t i = 0; i < tokens.size(); ++i) {
    positions_[i] = static_cast<llama_pos>(length_ + i);
    wanted_[i] = i + outputs >= tokens.size() ? 1 : 0;
  }
  llama_batch batch = llama_batch_get_one(tokens_.data(), static_cast<int32_t>(tokens_.size()));
  batch.pos = positions_.data();
  batch.logits = wanted_.data();
  forget_last_words();
  const int code = compute(batch);
  if (code == 2 || (code == 0 && stop_.raised())) return stopped;
  if (code != 0) {
    return Error{ErrorCode::Internal, fmt::format("decoding failed ({}): {}", code, last_words()),
                 options_.place.string(), "try again; if it stays, import the model again"};
  }
  length_ += tokens.size();
  outputs_ = outputs;
  return {};
}

int LlamaSequence::compute(const llama_batch& batch) {
  if (options_.cores == nullptr) return llama_decode(context_, batch);
  const CoreBudget::Share share = options_.cores->take();
  llama_set_n_threads(context_, share.threads(), share.threads());
  return llama_decode(context_, batch);
}

std::span<const float> LlamaSequence::logits(size_t index) const {
  const auto back = static_cast<int32_t>(outputs_) - static_cast<int32_t>(index);
  return {llama_get_logits_ith(context_, -back), vocabulary_size_};
}

Result<void> LlamaSequence::rewind(size_t length) {
  if (length >= length_) return {};
  const auto from = static_cast<llama_pos>(length);
  if (!llama_memory_seq_rm(llama_get_memory(context_), 0, from, -1)) {
    return Error{ErrorCode::Internal,
                 "this model's memory cannot be taken back to an earlier token",
                 options_.place.string(), "set escalation.speculate and escalation.lookup to off"};
  }
  length_ = length;
  return {};
}

}  // namespace tinyarms::engine
