#include "engine/reranker.h"

#include <fmt/format.h>
#include <llama-cpp.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <numeric>
#include <optional>

#include "base/utf8.h"
#include "engine/llama_backend.h"
#include "engine/model_facts.h"
#include "engine/plausible.h"

namespace tinyarms::engine {
namespace {

constexpr uint32_t kPassTokens = 512;  // of several pairs, unless one alone is longer
constexpr uint32_t kPassPairs = 32;
// Longer windows are not used: a pass holds its longest pair whole, and its memory grows with that.
constexpr uint32_t kWindowMax = 2048;
using Tokens = std::vector<llama_token>;

struct Pair {
  Tokens tokens;
  bool truncated = false;
};

class LlamaReranker final : public Reranker {
 public:
  LlamaReranker(ModelFacts facts, llama_model* model)
      : facts_(std::move(facts)),
        model_(model),
        vocabulary_(llama_model_get_vocab(model)),
        window_(std::min(facts_.context_tokens, kWindowMax)) {}

  Result<void> open(int threads) {
    const char* form = llama_model_chat_template(model_.get(), "rerank");
    if (form != nullptr) form_ = form;
    const bool softmax = facts_.architecture == "qwen3" || facts_.architecture == "qwen3vl";
    if (llama_model_n_cls_out(model_.get()) != 1 && !softmax) {
      return error(ErrorCode::Unsupported, fmt::format("has {} outputs, a reranker has one",
                                                       llama_model_n_cls_out(model_.get())));
    }
    llama_context_params parameters = llama_context_default_params();
    parameters.n_batch = std::max(kPassTokens, window_);
    parameters.n_ubatch = parameters.n_batch;  // both-ways attention cannot split a pair
    parameters.n_ctx = parameters.n_batch;
    parameters.n_seq_max = kPassPairs;
    parameters.kv_unified = true;
    parameters.embeddings = true;
    parameters.pooling_type = LLAMA_POOLING_TYPE_RANK;
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
    pass_tokens_ = parameters.n_batch;
    batch_ = llama_batch_init(static_cast<int32_t>(pass_tokens_), 0, 1);
    return {};
  }

  ~LlamaReranker() override {
    if (batch_.token != nullptr) llama_batch_free(batch_);
  }

  std::string_view backend() const override { return "libllama"; }

  Result<std::vector<PassageScore>> score(const std::string& query,
                                          std::span<const std::string> passages,
                                          const StopFlag& stop) override {
    std::vector<Pair> pairs;
    for (const std::string& passage : passages) {
      auto pair = join(query, passage);
      if (!pair) return pair.error();
      pairs.push_back(std::move(*pair));
    }
    std::vector<PassageScore> scores(pairs.size());
    std::vector<size_t> order(pairs.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return pairs[a].tokens.size() > pairs[b].tokens.size();
    });
    std::vector<size_t> pass;
    size_t tokens = 0;
    for (const size_t pair : order) {
      if (pass.size() == kPassPairs || tokens + pairs[pair].tokens.size() > pass_tokens_) {
        if (stop.raised()) return Error{ErrorCode::Interrupted, "stopped", "", ""};
        if (auto done = compute(pairs, pass, scores); !done) return done.error();
        pass.clear();
        tokens = 0;
      }
      tokens += pairs[pair].tokens.size();
      pass.push_back(pair);
    }
    if (auto done = compute(pairs, pass, scores); !done) return done.error();
    return scores;
  }

 private:
  Error error(ErrorCode code, std::string what) const {
    return Error{code, std::move(what), facts_.path.string(), "import the model again"};
  }

  Result<Tokens> tokens_of(std::string_view text, bool markup) const {
    if (const auto offset = find_invalid_utf8(text)) {
      return Error{ErrorCode::InvalidArgument,
                   fmt::format("the text is not valid UTF-8 at byte {}", *offset), "",
                   "convert it to UTF-8"};
    }
    if (text.empty()) return Tokens{};
    try {
      return tokenize_text(vocabulary_, text, {.special = false, .markup = markup});
    } catch (const std::exception& problem) {
      return error(ErrorCode::Internal,
                   fmt::format("the text could not be tokenised: {}", problem.what()));
    }
  }

  // What stands around and between the two texts: the model's own form for this where it has one
  // (with {query} and {document}), else its vocabulary's begin and separator tokens.
  Result<std::vector<Tokens>> frame() const {
    if (!form_.empty()) {
      const size_t query = form_.find("{query}");
      const size_t document = form_.find("{document}");
      if (query == std::string::npos || document == std::string::npos || document < query) {
        return error(ErrorCode::Unsupported, "its form for pairs has no {query} and {document}");
      }
      const std::string parts[] = {form_.substr(0, query),
                                   form_.substr(query + 7, document - query - 7),
                                   form_.substr(document + 10)};
      std::vector<Tokens> frame;
      for (const std::string& part : parts) {
        auto tokens = tokens_of(part, /*markup=*/true);
        if (!tokens) return tokens.error();
        frame.push_back(std::move(*tokens));
      }
      return frame;
    }
    llama_token end = llama_vocab_eos(vocabulary_);
    if (end == LLAMA_TOKEN_NULL) end = llama_vocab_sep(vocabulary_);
    const bool separated = llama_vocab_get_add_sep(vocabulary_);
    const bool ended = llama_vocab_get_add_eos(vocabulary_);
    std::vector<Tokens> frame(3);
    if (llama_vocab_get_add_bos(vocabulary_)) frame[0] = {llama_vocab_bos(vocabulary_)};
    if (ended) frame[1].push_back(end);
    if (separated) frame[1].push_back(llama_vocab_sep(vocabulary_));
    frame[2] = {ended ? end : separated ? llama_vocab_sep(vocabulary_) : LLAMA_TOKEN_NULL};
    if (frame[2][0] == LLAMA_TOKEN_NULL) frame[2].clear();
    return frame;
  }

  Result<Pair> join(const std::string& query, const std::string& passage) const {
    auto around = frame();
    if (!around) return around.error();
    auto first = tokens_of(query, false);
    if (!first) return first.error();
    auto second = tokens_of(passage, false);
    if (!second) return second.error();
    size_t taken = 0;
    for (const Tokens& tokens : *around) taken += tokens.size();
    if (taken >= window_) {
      return error(ErrorCode::Unsupported, "its form for pairs is longer than its window");
    }
    const PairLengths lengths = fit_pair({first->size(), second->size()}, window_ - taken);
    Pair pair{.tokens = std::move((*around)[0]),
              .truncated = lengths.query + lengths.passage < first->size() + second->size()};
    const auto append = [&](const Tokens& tokens, size_t count) {
      pair.tokens.insert(pair.tokens.end(), tokens.begin(),
                         tokens.begin() + static_cast<std::ptrdiff_t>(count));
    };
    append(*first, lengths.query);
    append((*around)[1], (*around)[1].size());
    append(*second, lengths.passage);
    append((*around)[2], (*around)[2].size());
    if (pair.tokens.empty()) {
      return Error{ErrorCode::InvalidArgument, "there is no text to compare", "",
                   "give some text"};
    }
    return pair;
  }

  Result<void> compute(const std::vector<Pair>& pairs, const std::vector<size_t>& pass,
                       std::vector<PassageScore>& scores) {
    if (pass.empty()) return {};
    batch_.n_tokens = 0;
    for (size_t pair = 0; pair < pass.size(); ++pair) {
      const Tokens& tokens = pairs[pass[pair]].tokens;
      for (size_t i = 0; i < tokens.size(); ++i) {
        const int32_t at = batch_.n_tokens++;
        batch_.token[at] = tokens[i];
        batch_.pos[at] = static_cast<llama_pos>(i);
        batch_.n_seq_id[at] = 1;
        batch_.seq_id[at][0] = static_cast<llama_seq_id>(pair);
        batch_.logits[at] = 1;
      }
    }
    forget_last_words();
    const bool memory = llama_get_memory(context_.get()) != nullptr;
    if (memory) llama_memory_clear(llama_get_memory(context_.get()), false);
    const int code = memory ? llama_decode(context_.get(), batch_)
                            : llama_encode(context_.get(), batch_);
    if (code != 0) {
      return error(ErrorCode::Internal, fmt::format("scoring failed ({}): {}", code,
                                                    last_words()));
    }
    for (size_t pair = 0; pair < pass.size(); ++pair) {
      const float* rank =
          llama_get_embeddings_seq(context_.get(), static_cast<llama_seq_id>(pair));
      if (rank == nullptr) return error(ErrorCode::Internal, "the engine returned no score");
      if (!std::isfinite(rank[0])) {
        return error(ErrorCode::Corrupt, "the model's output is not a number");
      }
      scores[pass[pair]] = {.score = rank[0], .truncated = pairs[pass[pair]].truncated};
    }
    return {};
  }

  ModelFacts facts_;
  llama_model_ptr model_;
  const llama_vocab* vocabulary_;
  uint32_t window_;
  std::string form_;
  llama_context_ptr context_;
  llama_batch batch_{};
  size_t pass_tokens_ = 0;
};

}  // namespace

PairLengths fit_pair(PairLengths lengths, size_t room) {
  size_t shorter = std::min(lengths.query, lengths.passage);
  size_t longer = std::max(lengths.query, lengths.passage);
  if (shorter + longer <= room) return lengths;
  if (shorter > room / 2) {
    shorter = room / 2;
    longer = room - shorter;
  } else {
    longer = room - shorter;
  }
  const bool query_is_longer = lengths.query > lengths.passage;
  return {.query = query_is_longer ? longer : shorter,
          .passage = query_is_longer ? shorter : longer};
}

Result<std::unique_ptr<Reranker>> Reranker::load(const std::filesystem::path& path, int threads) {
  auto facts = inspect_model(path);
  if (!facts) return facts.error();
  if (!facts->reranker) {
    return Error{ErrorCode::Unsupported, "is not a reranker: it does not score pairs of texts",
                 path.string(), "name a cross-encoder"};
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
  auto reranker = std::make_unique<LlamaReranker>(std::move(*facts), model);
  if (auto opened = reranker->open(threads); !opened) return opened.error();
  return Result<std::unique_ptr<Reranker>>(std::move(reranker));
}

}  // namespace tinyarms::engine
