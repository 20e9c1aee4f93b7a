#include "encoder/text_encoder.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "encoder/bert_encoder.h"
#include "encoder/bert_file.h"
#include "encoder/dnnl_library.h"
#include "encoder/wordpiece.h"
#include "engine/token_windows.h"

namespace tinyarms::encoder {
namespace {

class BertEmbedder final : public engine::Embedder {
 public:
  explicit BertEmbedder(BertFile file) : file_(std::move(file)), words_(file_.take_tokenizer()) {}

  Result<void> open(BertOptions options) {
    auto encoder = BertEncoder::create(file_, options);
    if (!encoder) return encoder.error();
    encoder_ = std::move(*encoder);
    backend_ = fmt::format("oneDNN {}, {} kernels", name_of(options.precision), kernels().name);
    return {};
  }

  const engine::ModelFacts& facts() const override { return file_.facts(); }
  int dimensions() const override { return static_cast<int>(file_.width()); }
  std::string_view backend() const override { return backend_; }

  Result<std::vector<int32_t>> tokenize(std::string_view text) const override {
    auto split = windows_of(text);
    if (!split) return split.error();
    return std::move(split->windows.front());
  }

  Result<std::vector<engine::Embedding>> embed(std::span<const std::string> texts) override {
    try {
      return embed_all(texts);
    } catch (const std::bad_alloc&) {
      return Error{ErrorCode::Internal, "there is no memory for these texts", "",
                   "free some memory or embed fewer at once"};
    }
  }

 private:
  Result<engine::TokenWindows> windows_of(std::string_view text) const {
    auto ids = words_.tokenize(text);
    if (!ids) return ids.error();
    return engine::split_into_windows(*ids, {.window = facts().context_tokens,
                                             .begin = file_.begin_token(),
                                             .end = file_.end_token()});
  }

  Result<std::vector<engine::Embedding>> embed_all(std::span<const std::string> texts) {
    std::vector<engine::Embedding> embeddings;
    std::vector<std::vector<int32_t>> windows;  // of all texts
    std::vector<size_t> first = {0};            // text i's are those from first[i] to first[i + 1]
    for (const std::string& text : texts) {
      auto split = windows_of(text);
      if (!split) return split.error();
      embeddings.push_back({.values = {},
                            .truncated = split->truncated,
                            .parts = static_cast<int>(split->windows.size())});
      for (auto& window : split->windows) windows.push_back(std::move(window));
      first.push_back(windows.size());
    }
    const size_t width = file_.width();
    std::vector<float> pooled(windows.size() * width);
    if (auto done = encoder_->encode({.texts = windows}, pooled.data()); !done) return done.error();
    for (size_t i = 0; i < embeddings.size(); ++i) {
      const size_t parts = first[i + 1] - first[i];
      embeddings[i].values = engine::pool_windows(
          std::span(pooled).subspan(first[i] * width, parts * width),
          std::span(windows).subspan(first[i], parts), width);
      if (embeddings[i].values.empty()) {
        return Error{ErrorCode::Corrupt, "the model's output is not a number",
                     facts().path.string(), "import the model again"};
      }
    }
    return embeddings;
  }

  BertFile file_;
  WordPiece words_;
  std::unique_ptr<BertEncoder> encoder_;
  std::string backend_;
};

}  // namespace

Result<std::unique_ptr<engine::Embedder>> load_bert(const std::filesystem::path& path,
                                                    const TextEncoderOptions& options) {
  const Precision precision = options.precision.value_or(fastest_exact());
  if (!supports(precision)) {
    return Error{ErrorCode::Unsupported,
                 fmt::format("this processor does not compute in {}", name_of(precision)), "",
                 "leave the precision to the program"};
  }
  auto file = BertFile::open(path);
  if (!file) return file.error();
  if (file->pooling() == Pooling::Rank) {
    return Error{ErrorCode::Unsupported, "is a reranker, it scores pairs of texts", path.string(),
                 "use it with tinyarms rerank --model, and an embedding model here"};
  }
  try {
    auto embedder = std::make_unique<BertEmbedder>(std::move(*file));
    if (auto opened = embedder->open({.threads = options.threads, .precision = precision});
        !opened) {
      return opened.error();
    }
    return Result<std::unique_ptr<engine::Embedder>>(std::move(embedder));
  } catch (const std::exception& problem) {  // memory, threads
    return Error{ErrorCode::Internal, fmt::format("it could not be loaded: {}", problem.what()),
                 path.string(), "free some memory and try again"};
  }
}

Result<std::unique_ptr<engine::Embedder>> load_text_encoder(const std::filesystem::path& path,
                                                            const TextEncoderOptions& options) {
  auto bert = load_bert(path, options);
  if (bert || bert.error().code != ErrorCode::Unsupported || options.precision) return bert;
  const auto facts = engine::inspect_model(path);
  if (facts && facts->architecture == "mpnet") {
    // libllama has no such architecture and would say only that.
    Error error = bert.error();
    if (!dnnl_library()) {
      error.what = fmt::format("MPNet runs on oneDNN only, which is not here: {}", error.what);
    }
    return error;
  }
  return engine::Embedder::load(path, options.threads);
}

}  // namespace tinyarms::encoder
