// Ten pairs of a query and a passage, 64 tokens together, through cross-encoders of the shapes of
// ms-marco-MiniLM-L-6 and L-12 with random weights (speed does not depend on them): ours on oneDNN
// against libllama's rank pooling on the same file, in turns.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <span>
#include <thread>

#include "base/file.h"
#include "bench.h"
#include "encoder/text_reranker.h"
#include "engine/bert_import.h"
#include "engine/tiny_cross_encoder.h"

namespace tinyarms::bench {
namespace {

constexpr size_t kPairs = 10;
constexpr size_t kTokens = 64;
// Between subjects: the threads of the one before go on spinning for a while.
constexpr std::chrono::milliseconds kPause(250);

Result<std::filesystem::path> model_of(Bench& bench, int layers) {
  const auto& options = bench.options();
  const auto file = options.cache / fmt::format("cross-encoder-l-{}.random.gguf", layers);
  if (std::filesystem::exists(file)) return file;
  auto vocabulary = read_file(options.deps / "models" / "all-minilm-l6-v2" / "vocab.txt", 1 << 22);
  if (!vocabulary) return vocabulary.error();
  const auto folder = options.cache / fmt::format("cross-encoder-l-{}", layers);
  engine::testing::TinyCrossEncoder({.layers = layers,
                                     .width = 384,
                                     .inner = 1536,
                                     .heads = 12,
                                     .positions = 512,
                                     .vocabulary = std::move(*vocabulary)})
      .write(folder);
  auto imported = engine::import_bert(folder, file, engine::EncoderType::F32);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (!imported) return imported.error();
  return file;
}

Result<double> milliseconds(engine::Reranker& reranker, int repeats) {
  std::string query = "code", passage = "code";
  for (size_t i = 1; i < 8; ++i) query += " code";
  for (size_t i = 1; i < kTokens - 8 - 3; ++i) passage += " code";
  const std::vector<std::string> passages(kPairs, passage);
  const StopFlag stop;
  double best = 1e9;
  for (int i = -1; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    auto scores = reranker.score(query, passages, stop);
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - start;
    if (!scores) return scores.error();
    if (i >= 0) best = std::min(best, taken.count());
  }
  return best;
}

Result<Figure> measure(Bench& bench, int layers, double goal_ms) {
  auto file = model_of(bench, layers);
  if (!file) return file.error();
  const int threads = bench.options().threads;
  auto ours = encoder::load_bert_cross_encoder(*file, {.threads = threads, .precision = {}});
  if (!ours) return ours.error();
  auto peer = engine::Reranker::load(*file, threads);
  if (!peer) return peer.error();
  std::vector<double> mine, theirs, ratios;
  const int repeats = bench.smoke() ? 1 : 5;
  for (int round = 0; round < bench.rounds(); ++round) {
    std::this_thread::sleep_for(kPause);
    auto a = milliseconds(**ours, repeats);
    if (!a) return a.error();
    std::this_thread::sleep_for(kPause);
    auto b = milliseconds(**peer, repeats);
    if (!b) return b.error();
    mine.push_back(*a);
    theirs.push_back(*b);
    ratios.push_back(*a / *b);
  }
  return Figure{.name = fmt::format("rerank/cross-encoder-l-{}/{}x{}", layers, kPairs, kTokens),
                .unit = "ms",
                .ours = median(mine),
                .peer = median(theirs),
                .ratio = median(ratios),
                .kind = Goal::OursAtMost,
                .goal = goal_ms};
}

Result<std::vector<Figure>> run(Bench& bench) {
  std::vector<Figure> figures;
  const std::pair<int, double> shapes[] = {{6, 30}, {12, 60}};
  for (const auto& [layers, goal] : std::span(shapes).first(bench.smoke() ? 1 : 2)) {
    auto figure = measure(bench, layers, goal);
    if (!figure) return figure.error();
    figures.push_back(*figure);
  }
  return figures;
}

const Registration registration("rerank", "scoring pairs with a cross-encoder, against libllama",
                                run);

}  // namespace
}  // namespace tinyarms::bench
