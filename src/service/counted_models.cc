#include "service/counted_models.h"

#include <chrono>
#include <utility>

#include "encoder/encoder_memory.h"
#include "encoder/text_encoder.h"

namespace tinyarms::service {
namespace {

class CountedEmbedder final : public engine::Embedder {
 public:
  CountedEmbedder(std::unique_ptr<tiers::ShelfGuest> guest,
                  std::unique_ptr<engine::Embedder> embedder)
      : guest_(std::move(guest)), embedder_(std::move(embedder)) {}
  const engine::ModelFacts& facts() const override { return embedder_->facts(); }
  int dimensions() const override { return embedder_->dimensions(); }
  std::string_view backend() const override { return embedder_->backend(); }
  Result<std::vector<int32_t>> tokenize(std::string_view text) const override {
    return embedder_->tokenize(text);
  }
  Result<std::vector<engine::Embedding>> embed(std::span<const std::string> texts) override {
    guest_->used();
    return embedder_->embed(texts);
  }

 private:
  std::unique_ptr<tiers::ShelfGuest> guest_;  // goes after the memory that it counts
  std::unique_ptr<engine::Embedder> embedder_;
};

class CountedReranker final : public engine::Reranker {
 public:
  CountedReranker(std::unique_ptr<tiers::ShelfGuest> guest,
                  std::unique_ptr<engine::Reranker> reranker)
      : guest_(std::move(guest)), reranker_(std::move(reranker)) {}
  std::string_view backend() const override { return reranker_->backend(); }
  Result<std::vector<engine::PassageScore>> score(const std::string& query,
                                                  std::span<const std::string> passages,
                                                  const StopFlag& stop) override {
    guest_->used();
    return reranker_->score(query, passages, stop);
  }

 private:
  std::unique_ptr<tiers::ShelfGuest> guest_;
  std::unique_ptr<engine::Reranker> reranker_;
};

// Sets room aside, loads, and wraps what was loaded.
template <typename Counted, typename Port, typename Load>
Result<std::unique_ptr<Port>> load_within(tiers::ShelvedModel model, const Counting& counting,
                                          const Load& load) {
  if (counting.shelf == nullptr) return load();
  model.use = counting.use;
  auto guest = counting.shelf->admit(model);
  if (!guest) return guest.error();
  const auto start = std::chrono::steady_clock::now();
  Result<std::unique_ptr<Port>> loaded = load();
  if (!loaded) return loaded.error();
  model.load_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  (*guest)->loaded(model);
  return Result<std::unique_ptr<Port>>(
      std::make_unique<Counted>(std::move(*guest), std::move(*loaded)));
}

}  // namespace

uint64_t encoder_bytes(const engine::ModelFacts& facts, int threads) {
  if (encoder::runs_on_onednn(facts)) {
    return encoder::plan_encoder(facts, encoder::fastest_exact(), threads).total();
  }
  // libllama takes a whole text in one pass where it reads both ways.
  return engine::plan_memory(facts, facts.context_tokens, facts.context_tokens).total();
}

Result<std::unique_ptr<engine::Embedder>> load_counted_encoder(const std::filesystem::path& path,
                                                               int threads,
                                                               const Counting& counting) {
  const auto load = [&] {
    return encoder::load_text_encoder(path, {.threads = threads, .precision = {}});
  };
  auto facts = engine::inspect_model(path);
  if (!facts || !facts->encoder) return load();  // which says what is wrong
  return load_within<CountedEmbedder, engine::Embedder>(
      {.file = path,
       .context_tokens = facts->context_tokens,
       .bytes = encoder_bytes(*facts, threads),
       .kind = tiers::ModelKind::Encoder},
      counting, load);
}

Result<std::unique_ptr<engine::Reranker>> load_counted_reranker(
    const engine::ModelFacts& facts, uint64_t bytes, const Counting& counting,
    const std::function<Result<std::unique_ptr<engine::Reranker>>()>& load) {
  return load_within<CountedReranker, engine::Reranker>(
      {.file = facts.path,
       .context_tokens = facts.context_tokens,
       .bytes = bytes,
       .kind = tiers::ModelKind::Reranker},
      counting, load);
}

}  // namespace tinyarms::service
