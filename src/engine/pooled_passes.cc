#include "engine/pooled_passes.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "engine/llama_backend.h"
#include "engine/llama_open.h"

namespace tinyarms::engine {
namespace {

// Lists that one pass takes together: as many as fit this many tokens (or the window, where that is
// longer), and no more lists than this. Attention in a pass is over all its tokens, so more would
// not be faster.
constexpr uint32_t kPassTokens = 512;
constexpr uint32_t kPassLists = 32;

}  // namespace

Result<PooledPasses> PooledPasses::open(const llama_model* model,
                                        const std::filesystem::path& place,
                                        const PooledPassesOptions& options) {
  llama_context_params parameters = llama_context_default_params();
  parameters.n_batch = std::max(kPassTokens, options.window);
  parameters.n_ubatch = parameters.n_batch;  // both-ways attention cannot split a list
  parameters.n_ctx = parameters.n_batch;
  parameters.n_seq_max = kPassLists;
  parameters.kv_unified = true;
  parameters.embeddings = true;
  parameters.pooling_type = options.pooling;
  parameters.n_threads = resolve_threads(options.threads);
  parameters.n_threads_batch = parameters.n_threads;
  parameters.no_perf = true;
  auto context = open_llama_context(model, parameters, place);
  if (!context) return context.error();
  return PooledPasses(std::move(*context), parameters.n_batch, place);
}

PooledPasses::PooledPasses(llama_context_ptr context, uint32_t pass_tokens,
                           std::filesystem::path place)
    : context_(std::move(context)),
      batch_(new llama_batch(llama_batch_init(static_cast<int32_t>(pass_tokens), 0, 1))),
      pass_tokens_(pass_tokens),
      place_(std::move(place)) {}

Result<void> PooledPasses::compute(std::span<const Tokens> lists, const OnVector& on_vector,
                                   const StopFlag* stop) {
  std::vector<size_t> order(lists.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return lists[a].size() > lists[b].size();
  });
  for (std::span<const size_t> rest = order; !rest.empty();) {
    if (stop != nullptr && stop->raised()) {
      return Error{ErrorCode::Interrupted, "stopped", "", ""};
    }
    size_t count = 0;
    for (size_t tokens = 0; count < std::min<size_t>(rest.size(), kPassLists); ++count) {
      tokens += lists[rest[count]].size();
      if (tokens > pass_tokens_) break;
    }
    if (count == 0) return failure("a text is longer than the model's window");
    if (auto done = pass(lists, rest.first(count), on_vector); !done) return done;
    rest = rest.subspan(count);
  }
  return {};
}

Result<void> PooledPasses::pass(std::span<const Tokens> lists, std::span<const size_t> chosen,
                                const OnVector& on_vector) {
  batch_->n_tokens = 0;
  for (size_t sequence = 0; sequence < chosen.size(); ++sequence) {
    const Tokens& tokens = lists[chosen[sequence]];
    for (size_t i = 0; i < tokens.size(); ++i) {
      const int32_t at = batch_->n_tokens++;
      batch_->token[at] = tokens[i];
      batch_->pos[at] = static_cast<llama_pos>(i);
      batch_->n_seq_id[at] = 1;
      batch_->seq_id[at][0] = static_cast<llama_seq_id>(sequence);
      batch_->logits[at] = 1;
    }
  }
  forget_last_words();
  const llama_memory_t memory = llama_get_memory(context_.get());
  if (memory != nullptr) llama_memory_clear(memory, false);
  const int code = memory != nullptr ? llama_decode(context_.get(), *batch_)
                                     : llama_encode(context_.get(), *batch_);
  if (code != 0) return failure(fmt::format("the pass failed ({}): {}", code, last_words()));
  for (size_t sequence = 0; sequence < chosen.size(); ++sequence) {
    const float* vector =
        llama_get_embeddings_seq(context_.get(), static_cast<llama_seq_id>(sequence));
    if (vector == nullptr) return failure("the engine returned no vector");
    if (auto taken = on_vector(chosen[sequence], vector); !taken) return taken;
  }
  return {};
}

Error PooledPasses::failure(std::string what) const {
  return Error{ErrorCode::Internal, std::move(what), place_.string(), "import the model again"};
}

}  // namespace tinyarms::engine
