#include "eval/encoder_trial.h"

#include <chrono>
#include <utility>

namespace tinyarms::eval {
namespace {

constexpr double kRightFrom = 0.5;

}  // namespace

Result<EncoderSide> measure_encoder(const RetrievalSet& set, const EmbedTexts& embed,
                                    const corpus::FusionWeights& weights) {
  EncoderSide side;
  const EmbedTexts timed = [&](std::span<const std::string> texts) {
    const auto start = std::chrono::steady_clock::now();
    auto vectors = embed(texts);
    side.seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    side.texts += texts.size();
    return vectors;
  };
  auto run = RetrievalRun::open(set, timed);
  if (!run) return run.error();
  for (size_t i = 0; i < set.queries.size(); ++i) {
    const auto ranking = run->ranking(i, RetrievalRun::Method::Hybrid, weights);
    side.ndcg10.push_back(retrieval_figures(ranking, set.queries[i].relevant).ndcg10);
  }
  return side;
}

void thin_queries(RetrievalSet& set, size_t limit) {
  const size_t all = set.queries.size();
  if (limit == 0 || limit >= all) return;
  std::vector<RetrievalQuery> some;
  for (size_t i = 0; i < limit; ++i) some.push_back(std::move(set.queries[i * all / limit]));
  set.queries = std::move(some);
}

EncoderComparison compare_encoders(const EncoderSide& in_use, const EncoderSide& on_trial) {
  std::vector<ScorePair> right;
  std::vector<ScorePair> gains;
  for (size_t i = 0; i < in_use.ndcg10.size(); ++i) {
    const double first = in_use.ndcg10[i];
    const double second = on_trial.ndcg10[i];
    gains.push_back({first, second});
    right.push_back({first >= kRightFrom ? 1.0 : 0.0, second >= kRightFrom ? 1.0 : 0.0});
  }
  EncoderComparison comparison;
  comparison.task.name = "retrieval";
  comparison.task.paired = compare(right);
  comparison.ndcg10 = compare(gains);
  return comparison;
}

}  // namespace tinyarms::eval
