// Retrieval over a set of one's own: documents and queries in the data folder, ranked as `tinyarms
// search` ranks them, by words (BM25), by vectors and by both.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "eval/retrieval.h"

namespace tinyarms::eval {
namespace {

using Method = RetrievalRun::Method;
constexpr std::array kMethods = {Method::Bm25, Method::Cosine, Method::Hybrid};

struct Named {
  const char* name;
  double RetrievalFigures::*field;
};
constexpr std::array kFigures = {Named{"ndcg@10", &RetrievalFigures::ndcg10},
                                 Named{"mrr", &RetrievalFigures::mrr},
                                 Named{"recall@10", &RetrievalFigures::recall10}};

EmbeddingFigure figure(std::string name, double value, Interval interval, size_t items) {
  return {.task = {},
          .subject = {},
          .name = std::move(name),
          .value = value,
          .interval = interval,
          .items = items};
}

class Retrieval final : public EmbeddingTask {
 public:
  std::string_view name() const override { return "retrieval"; }
  std::string_view description() const override {
    return "Your own documents and queries: nDCG@10, MRR, recall@10 of bm25, vectors and hybrid";
  }
  std::string_view caveat() const override {
    return "rankings are cut at 100 documents; documents that are not named as relevant count as "
           "misses";
  }
  std::vector<std::string> files() const override { return {"corpus.jsonl", "queries.jsonl"}; }

  Result<EmbeddingMeasurement> measure(const std::filesystem::path& data, size_t limit,
                                       const EmbedTexts& embed) const override {
    auto set = read_retrieval_set(data);
    if (!set) return set.error();
    if (limit > 0 && limit < set->queries.size()) set->queries.resize(limit);
    auto run = RetrievalRun::open(*set, embed);
    if (!run) return run.error();
    const size_t count = run->rankings().size();
    EmbeddingMeasurement result;
    std::array<std::vector<RetrievalFigures>, kMethods.size()> all;
    for (size_t i = 0; i < count; ++i) {
      nlohmann::ordered_json line = {{"id", "retrieval/" + set->queries[i].id}};
      for (size_t m = 0; m < kMethods.size(); ++m) {
        const auto figures =
            retrieval_figures(run->ranking(i, kMethods[m]), set->queries[i].relevant);
        all[m].push_back(figures);
        line[std::string(method_name(kMethods[m]))] = {{"ndcg@10", figures.ndcg10},
                                                       {"mrr", figures.mrr},
                                                       {"recall@10", figures.recall10}};
      }
      result.lines.push_back(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    for (size_t m = 0; m < kMethods.size(); ++m) add_figures(kMethods[m], all[m], result);
    add_difference("hybrid − bm25 ndcg@10", all[0], all[2], result);
    add_difference("hybrid − vectors ndcg@10", all[1], all[2], result);
    return result;
  }

 private:
  static void add_figures(Method method, const std::vector<RetrievalFigures>& all,
                          EmbeddingMeasurement& result) {
    for (const Named& each : kFigures) {
      std::vector<double> values;
      double sum = 0;
      for (const RetrievalFigures& figures : all) {
        values.push_back(figures.*each.field);
        sum += figures.*each.field;
      }
      const double mean = values.empty() ? 0 : sum / static_cast<double>(values.size());
      result.figures.push_back(figure(fmt::format("{} {}", method_name(method), each.name), mean,
                                      bootstrap_bounded_mean(values, {0, 1}), values.size()));
    }
  }

  // Paired over the queries: above zero where both ends of the interval are.
  static void add_difference(const char* name, const std::vector<RetrievalFigures>& first,
                             const std::vector<RetrievalFigures>& second,
                             EmbeddingMeasurement& result) {
    std::vector<ScorePair> pairs;
    for (size_t i = 0; i < first.size(); ++i) {
      pairs.push_back({first[i].ndcg10, second[i].ndcg10});
    }
    const Paired paired = compare(pairs);
    result.figures.push_back(figure(name, paired.difference, paired.interval, pairs.size()));
  }
};

}  // namespace

std::unique_ptr<EmbeddingTask> make_retrieval() { return std::make_unique<Retrieval>(); }

}  // namespace tinyarms::eval
