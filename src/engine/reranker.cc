#include "engine/reranker.h"

#include <fmt/format.h>
#include <llama-cpp.h>

#include <algorithm>
#include <cmath>
#include <exception>

#include "base/utf8.h"
#include "engine/llama_backend.h"
#include "engine/llama_open.h"
#include "engine/model_facts.h"
#include "engine/plausible.h"
#include "engine/pooled_passes.h"

namespace tinyarms::engine {
namespace {

// Longer windows are not used: a pass holds its longest pair whole, and its memory grows with that.
constexpr uint32_t kWindowMax = 2048;
using Tokens = PooledPasses::Tokens;

uint32_t window_of(const ModelFacts& facts) { return std::min(facts.context_tokens, kWindowMax); }

struct Pair {
  Tokens tokens;
  bool truncated = false;
};

class LlamaReranker final : public Reranker {
 public:
  LlamaReranker(ModelFacts facts, llama_model_ptr model, PooledPasses passes)
      : facts_(std::move(facts)),
        model_(std::move(model)),
        vocabulary_(llama_model_get_vocab(model_.get())),
        window_(window_of(facts_)),
        passes_(std::move(passes)) {
    if (const char* form = llama_model_chat_template(model_.get(), "rerank")) form_ = form;
  }

  std::string_view backend() const override { return "libllama"; }

  Result<std::vector<PassageScore>> score(const std::string& query,
                                          std::span<const std::string> passages,
                                          const StopFlag& stop) override {
    std::vector<Tokens> pairs;
    std::vector<PassageScore> scores;
    for (const std::string& passage : passages) {
      auto pair = join(query, passage);
      if (!pair) return pair.error();
      pairs.push_back(std::move(pair->tokens));
      scores.push_back({.score = 0, .truncated = pair->truncated});
    }
    const auto keep = [&](size_t pair, const float* rank) -> Result<void> {
      if (!std::isfinite(rank[0])) {
        return error(ErrorCode::Corrupt, "the model's output is not a number");
      }
      scores[pair].score = rank[0];
      return {};
    };
    if (auto done = passes_.compute(pairs, keep, &stop); !done) return done.error();
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

  ModelFacts facts_;
  llama_model_ptr model_;
  const llama_vocab* vocabulary_;
  uint32_t window_;
  PooledPasses passes_;
  std::string form_;
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
  auto model = load_llama_model(path);
  if (!model) return model.error();
  const bool softmax = facts->architecture == "qwen3" || facts->architecture == "qwen3vl";
  if (llama_model_n_cls_out(model->get()) != 1 && !softmax) {
    return Error{ErrorCode::Unsupported,
                 fmt::format("has {} outputs, a reranker has one",
                             llama_model_n_cls_out(model->get())),
                 path.string(), "import the model again"};
  }
  auto passes = PooledPasses::open(
      model->get(), path,
      {.window = window_of(*facts), .pooling = LLAMA_POOLING_TYPE_RANK, .threads = threads});
  if (!passes) return passes.error();
  return Result<std::unique_ptr<Reranker>>(std::make_unique<LlamaReranker>(
      std::move(*facts), std::move(*model), std::move(*passes)));
}

}  // namespace tinyarms::engine
