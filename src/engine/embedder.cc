#include "engine/embedder.h"

#include <fmt/format.h>
#include <llama-cpp.h>

#include <algorithm>
#include <exception>
#include <numeric>

#include "base/utf8.h"
#include "engine/llama_backend.h"
#include "engine/plausible.h"
#include "engine/token_windows.h"

namespace tinyarms::engine {
namespace {

// Texts that one pass takes together: as many as fit this many tokens, and no more texts than
// this. Attention in a pass is over all its tokens, so more would not be faster.
constexpr uint32_t kPassTokens = 512;
constexpr uint32_t kPassTexts = 32;
// Longer windows are not used: a pass holds its longest text whole, and its memory grows with that.
constexpr uint32_t kWindowMax = 2048;
using Window = std::vector<llama_token>;

class LlamaEmbedder final : public Embedder {
 public:
  LlamaEmbedder(ModelFacts facts, llama_model* model)
      : facts_(std::move(facts)),
        model_(model),
        vocabulary_(llama_model_get_vocab(model)),
        window_(std::min(facts_.context_tokens, kWindowMax)) {}

  Result<void> open(int threads) {
    llama_context_params parameters = llama_context_default_params();
    parameters.n_batch = std::max(kPassTokens, window_);
    parameters.n_ubatch = parameters.n_batch;  // both-ways attention cannot split a text
    parameters.n_ctx = parameters.n_batch;
    parameters.n_seq_max = kPassTexts;
    parameters.kv_unified = true;
    parameters.embeddings = true;
    parameters.n_threads = resolve_threads(threads);
    parameters.n_threads_batch = parameters.n_threads;
    parameters.no_perf = true;
    forget_last_words();
    std::string words;
    try {
      context_.reset(llama_init_from_model(model_.get(), parameters));
      words = last_words();
    } catch (const std::exception& problem) {
      words = problem.what();
    }
    if (!context_) return error(ErrorCode::Internal, "no context could be made: " + words);
    switch (llama_pooling_type(context_.get())) {
      case LLAMA_POOLING_TYPE_MEAN:
      case LLAMA_POOLING_TYPE_CLS:
      case LLAMA_POOLING_TYPE_LAST: break;
      default:
        return error(ErrorCode::Unsupported, "does not say how to pool its outputs into a vector");
    }
    pass_tokens_ = parameters.n_batch;
    batch_ = llama_batch_init(static_cast<int32_t>(pass_tokens_), 0, 1);
    return {};
  }

  ~LlamaEmbedder() override {
    if (batch_.token != nullptr) llama_batch_free(batch_);
  }

  const ModelFacts& facts() const override { return facts_; }
  int dimensions() const override { return llama_model_n_embd_out(model_.get()); }

  std::string_view backend() const override { return "libllama"; }

  Result<std::vector<int32_t>> tokenize(std::string_view text) const override {
    auto split = windows_of(text);
    if (!split) return split.error();
    return std::move(split->windows.front());
  }

  // Windows of like length share a pass: the longest first, whatever text they are of.
  Result<std::vector<Embedding>> embed(std::span<const std::string> texts) override {
    std::vector<Embedding> embeddings;
    std::vector<Window> windows;
    std::vector<size_t> first = {0};  // text i's windows are those from first[i] to first[i + 1]
    for (const std::string& text : texts) {
      auto split = windows_of(text);
      if (!split) return split.error();
      embeddings.push_back({.values = {},
                            .truncated = split->truncated,
                            .parts = static_cast<int>(split->windows.size())});
      for (Window& window : split->windows) windows.push_back(std::move(window));
      first.push_back(windows.size());
    }
    const auto width = static_cast<size_t>(dimensions());
    std::vector<float> pooled(windows.size() * width);
    if (auto done = compute_all(windows, pooled); !done) return done.error();
    for (size_t i = 0; i < embeddings.size(); ++i) {
      const size_t parts = first[i + 1] - first[i];
      embeddings[i].values =
          pool_windows(std::span(pooled).subspan(first[i] * width, parts * width),
                       std::span(windows).subspan(first[i], parts), width);
      if (embeddings[i].values.empty()) {
        return error(ErrorCode::Corrupt, "the model's output is not a number");
      }
    }
    return embeddings;
  }

 private:
  Error error(ErrorCode code, std::string what) const {
    return Error{code, std::move(what), facts_.path.string(), "import the model again"};
  }

  Result<TokenWindows> windows_of(std::string_view text) const {
    if (const auto offset = find_invalid_utf8(text)) {
      return Error{ErrorCode::InvalidArgument,
                   fmt::format("the text is not valid UTF-8 at byte {}", *offset), "",
                   "convert it to UTF-8"};
    }
    std::vector<llama_token> tokens;
    try {
      tokens = tokenize_text(vocabulary_, text, {.special = true, .markup = false});
    } catch (const std::exception& problem) {
      return error(ErrorCode::Internal,
                   fmt::format("the text could not be tokenised: {}", problem.what()));
    }
    if (tokens.empty()) {
      return Error{ErrorCode::InvalidArgument, "there is no text to embed", "", "give some text"};
    }
    WindowOptions options{.window = window_, .begin = {}, .end = {}};
    std::span<const llama_token> body = tokens;
    if (llama_vocab_is_control(vocabulary_, body.front())) {
      options.begin = body.front();
      body = body.subspan(1);
    }
    if (!body.empty() && llama_vocab_is_control(vocabulary_, body.back())) {
      options.end = body.back();
      body = body.first(body.size() - 1);
    }
    return split_into_windows(body, options);
  }

  Result<void> compute_all(const std::vector<Window>& windows, std::vector<float>& pooled) {
    std::vector<size_t> order(windows.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return windows[a].size() > windows[b].size();
    });
    std::vector<size_t> pass;
    size_t tokens = 0;
    for (const size_t window : order) {
      if (pass.size() == kPassTexts || tokens + windows[window].size() > pass_tokens_) {
        if (auto done = compute(windows, pass, pooled); !done) return done;
        pass.clear();
        tokens = 0;
      }
      tokens += windows[window].size();
      pass.push_back(window);
    }
    return compute(windows, pass, pooled);
  }

  Result<void> compute(const std::vector<Window>& windows, const std::vector<size_t>& pass,
                       std::vector<float>& pooled) {
    if (pass.empty()) return {};
    batch_.n_tokens = 0;
    for (size_t text = 0; text < pass.size(); ++text) {
      const Window& tokens = windows[pass[text]];
      for (size_t i = 0; i < tokens.size(); ++i) {
        const int32_t at = batch_.n_tokens++;
        batch_.token[at] = tokens[i];
        batch_.pos[at] = static_cast<llama_pos>(i);
        batch_.n_seq_id[at] = 1;
        batch_.seq_id[at][0] = static_cast<llama_seq_id>(text);
        batch_.logits[at] = 1;
      }
    }
    forget_last_words();
    const bool memory = llama_get_memory(context_.get()) != nullptr;
    if (memory) llama_memory_clear(llama_get_memory(context_.get()), false);
    const int code = memory ? llama_decode(context_.get(), batch_)
                            : llama_encode(context_.get(), batch_);
    if (code != 0) {
      return error(ErrorCode::Internal, fmt::format("embedding failed ({}): {}", code,
                                                    last_words()));
    }
    const auto width = static_cast<size_t>(dimensions());
    for (size_t text = 0; text < pass.size(); ++text) {
      const float* vector =
          llama_get_embeddings_seq(context_.get(), static_cast<llama_seq_id>(text));
      if (vector == nullptr) return error(ErrorCode::Internal, "the engine returned no vector");
      std::copy_n(vector, width, pooled.begin() + static_cast<std::ptrdiff_t>(pass[text] * width));
    }
    return {};
  }

  ModelFacts facts_;
  llama_model_ptr model_;
  const llama_vocab* vocabulary_;
  uint32_t window_;
  llama_context_ptr context_;
  llama_batch batch_{};
  size_t pass_tokens_ = 0;
};

}  // namespace

Result<std::unique_ptr<Embedder>> Embedder::load(const std::filesystem::path& path, int threads) {
  auto facts = inspect_model(path);
  if (!facts) return facts.error();
  if (!facts->encoder) {
    return Error{ErrorCode::Unsupported, "is a generative model, it does not embed text",
                 path.string(), "name an embedding model here"};
  }
  if (facts->reranker) {
    return Error{ErrorCode::Unsupported, "is a reranker, it scores pairs of texts",
                 path.string(), "use it with tinyarms rerank --model, and an embedding model here"};
  }
  if (auto plausible = check_plausible(*facts); !plausible) return plausible.error();
  prepare_backend();
  forget_last_words();
  llama_model* model = nullptr;
  std::string words;
  try {
    llama_model_params parameters = llama_model_default_params();
    parameters.n_gpu_layers = 0;
    model = llama_model_load_from_file(path.c_str(), parameters);
    words = last_words();
  } catch (const std::exception& problem) {
    words = problem.what();
  }
  if (model == nullptr) {
    const bool unknown = words.find("unknown model architecture") != std::string::npos;
    return Error{unknown ? ErrorCode::Unsupported : ErrorCode::Corrupt,
                 fmt::format("the engine refused it: {}", words), path.string(),
                 "import the model again"};
  }
  auto embedder = std::make_unique<LlamaEmbedder>(std::move(*facts), model);
  if (auto opened = embedder->open(threads); !opened) return opened.error();
  return Result<std::unique_ptr<Embedder>>(std::move(embedder));
}

}  // namespace tinyarms::engine
