// What the evidence costs: one pass over the logits a token, as a share of the decode step whose
// logits they are. The pass runs over logits that a decode step's other data would have pushed out
// of the nearest caches.
#include <chrono>
#include <random>

#include "bench.h"
#include "engine/token_statistics.h"
#include "model.h"

namespace tinyarms::bench {
namespace {

constexpr double kGoal = 0.01;

double nanoseconds_per_token(size_t vocabulary, int passes) {
  // Several vectors in turn: more together than the second-level cache holds.
  constexpr size_t kVectors = 16;
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.0f, 3.0f);
  std::vector<std::vector<float>> logits(kVectors, std::vector<float>(vocabulary));
  for (auto& vector : logits) {
    for (float& logit : vector) logit = normal(random);
  }
  std::vector<double> times;
  double entropy = 0;
  for (int pass = 0; pass < passes; ++pass) {
    const auto& vector = logits[static_cast<size_t>(pass) % kVectors];
    const auto start = std::chrono::steady_clock::now();
    entropy += engine::token_statistics(vector, 0).entropy;
    times.push_back(std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() -
                                                             start).count());
  }
  return entropy > 0 ? median(times) : 0;  // uses the result, so that it is computed
}

Result<std::vector<Figure>> run(Bench& bench) {
  std::vector<Figure> figures;
  for (auto open : {&Bench::small_model, &Bench::large_model}) {
    auto model = (bench.*open)();
    if (!model) return model.error();
    auto rate = (*model)->decode(bench.smoke() ? 8 : 64);
    if (!rate) return rate.error();
    const double step = 1e9 / rate->tokens_per_second;
    const double ours =
        nanoseconds_per_token((*model)->facts().vocabulary, bench.smoke() ? 20 : 2000);
    figures.push_back({.name = "confidence/" + (*model)->name(),
                       .unit = "ns/token",
                       .ours = ours,
                       .peer = step,
                       .ratio = ours / step,
                       .kind = Goal::RatioAtMost,
                       .goal = kGoal});
  }
  return figures;
}

const Registration registration("confidence", "evidence a token, as a share of a decode step", run);

}  // namespace
}  // namespace tinyarms::bench
