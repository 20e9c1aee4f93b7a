#include "engine/embedder.h"

#include <fmt/format.h>
#include <llama-cpp.h>

#include <algorithm>
#include <exception>

#include "base/utf8.h"
#include "engine/llama_backend.h"
#include "engine/llama_open.h"
#include "engine/plausible.h"
#include "engine/pooled_passes.h"
#include "engine/token_windows.h"

namespace tinyarms::engine {
namespace {

// Longer windows are not used: a pass holds its longest text whole, and its memory grows with that.
constexpr uint32_t kWindowMax = 2048;
using Window = PooledPasses::Tokens;

uint32_t window_of(const ModelFacts& facts) { return std::min(facts.context_tokens, kWindowMax); }

class LlamaEmbedder final : public Embedder {
 public:
  LlamaEmbedder(ModelFacts facts, llama_model_ptr model, PooledPasses passes)
      : facts_(std::move(facts)),
        model_(std::move(model)),
        vocabulary_(llama_model_get_vocab(model_.get())),
        passes_(std::move(passes)) {}

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
    const auto keep = [&](size_t window, const float* vector) -> Result<void> {
      std::copy_n(vector, width, pooled.begin() + static_cast<std::ptrdiff_t>(window * width));
      return {};
    };
    if (auto done = passes_.compute(windows, keep); !done) return done.error();
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
    WindowOptions options{.window = window_of(facts_), .begin = {}, .end = {}};
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

  ModelFacts facts_;
  llama_model_ptr model_;
  const llama_vocab* vocabulary_;
  PooledPasses passes_;
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
  auto model = load_llama_model(path);
  if (!model) return model.error();
  auto passes =
      PooledPasses::open(model->get(), path, {.window = window_of(*facts), .threads = threads});
  if (!passes) return passes.error();
  switch (passes->pooling()) {
    case LLAMA_POOLING_TYPE_MEAN:
    case LLAMA_POOLING_TYPE_CLS:
    case LLAMA_POOLING_TYPE_LAST: break;
    default:
      return Error{ErrorCode::Unsupported, "does not say how to pool its outputs into a vector",
                   path.string(), "import the model again"};
  }
  return Result<std::unique_ptr<Embedder>>(std::make_unique<LlamaEmbedder>(
      std::move(*facts), std::move(*model), std::move(*passes)));
}

}  // namespace tinyarms::engine
