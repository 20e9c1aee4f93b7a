// Does a second opinion help? CoSQA's development queries over its whole corpus: the nearest by
// MiniLM's vectors first, then the same candidates reranked. nDCG@10, and the mean gain over the
// first stage with a paired bootstrap interval. Needs TINYARMS_SHARED (data/cosqa); without it
// nothing is measured. TINYARMS_RERANK_QUERIES limits the queries of the slow yes-no method (100; 0
// leaves it out), TINYARMS_RERANK_LATE=0 leaves late interaction out.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "bench.h"
#include "encoder/text_encoder.h"
#include "encoder/text_reranker.h"
#include "engine/bert_import.h"
#include "engine/yes_no_reranker.h"
#include "eval/statistics.h"

namespace tinyarms::bench {
namespace {

constexpr size_t kCut = 10;

struct Query {
  std::string text;
  size_t relevant = 0;
};
struct Data {
  std::vector<std::string> corpus;
  std::vector<Query> queries;
};
struct Candidate {
  size_t passage = 0;
  double first = 0;   // of the first stage
  double second = 0;  // of the reranker
};
using Candidates = std::vector<Candidate>;

Result<Data> read_data(const std::filesystem::path& folder, bool smoke) {
  std::ifstream map_file(folder / "code_idx_map.txt");
  std::ifstream query_file(folder / "cosqa-retrieval-dev-500.json");
  const auto map = nlohmann::json::parse(map_file, nullptr, false);
  const auto queries = nlohmann::json::parse(query_file, nullptr, false);
  if (!map.is_object() || !queries.is_array()) {
    return Error{ErrorCode::NotFound, "CoSQA is missing or damaged", folder.string(), ""};
  }
  Data data;
  data.corpus.resize(map.size());
  for (const auto& [code, id] : map.items()) data.corpus.at(id.get<size_t>()) = code;
  for (const auto& query : queries) {
    data.queries.push_back({query["doc"], query["retrieval_idx"].get<size_t>()});
  }
  if (smoke) {
    // A corpus of 20 in which each query still has its answer.
    data.queries.resize(2);
    for (size_t q = 0; q < data.queries.size(); ++q) {
      std::swap(data.corpus.at(q), data.corpus.at(data.queries[q].relevant));
      data.queries[q].relevant = q;
    }
    data.corpus.resize(20);
  }
  return data;
}

double gain_of(const Candidates& ranked, size_t relevant) {
  for (size_t i = 0; i < std::min(kCut, ranked.size()); ++i) {
    if (ranked[i].passage == relevant) return 1 / std::log2(static_cast<double>(i) + 2);
  }
  return 0;
}

// The `depth` nearest of each query.
Result<std::vector<Candidates>> first_stage(const Data& data, engine::Embedder& embedder,
                                            size_t depth) {
  auto passages = embedder.embed(data.corpus);
  if (!passages) return passages.error();
  std::vector<std::string> texts;
  for (const Query& query : data.queries) texts.push_back(query.text);
  auto asked = embedder.embed(texts);
  if (!asked) return asked.error();
  std::vector<Candidates> all;
  for (const engine::Embedding& query : *asked) {
    Candidates found;
    for (size_t i = 0; i < passages->size(); ++i) {
      const auto& values = (*passages)[i].values;
      found.push_back({i, std::inner_product(values.begin(), values.end(), query.values.begin(),
                                             0.0)});
    }
    const auto end = found.begin() + static_cast<std::ptrdiff_t>(std::min(depth, found.size()));
    std::partial_sort(found.begin(), end, found.end(),
                      [](const Candidate& a, const Candidate& b) { return a.first > b.first; });
    found.erase(end, found.end());
    all.push_back(std::move(found));
  }
  return all;
}

// z-scores among a query's candidates, so that two scales can be added.
std::vector<double> standard(const Candidates& candidates, double Candidate::* field) {
  double mean = 0, square = 0;
  for (const Candidate& each : candidates) mean += each.*field;
  mean /= static_cast<double>(candidates.size());
  for (const Candidate& each : candidates) square += (each.*field - mean) * (each.*field - mean);
  const double deviation = std::sqrt(square / static_cast<double>(candidates.size()));
  std::vector<double> scores;
  for (const Candidate& each : candidates) {
    scores.push_back(deviation > 0 ? (each.*field - mean) / deviation : 0);
  }
  return scores;
}

// `share` of the reranker's opinion, the rest of the first stage's.
Candidates mixed(const Candidates& candidates, double share) {
  const auto first = standard(candidates, &Candidate::first);
  const auto second = standard(candidates, &Candidate::second);
  std::vector<size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return share * second[a] + (1 - share) * first[a] > share * second[b] + (1 - share) * first[b];
  });
  Candidates ranked;
  for (const size_t i : order) ranked.push_back(candidates[i]);
  return ranked;
}

Result<void> judge(engine::Reranker& reranker, const Data& data, size_t queries,
                   std::vector<Candidates>& stage) {
  const StopFlag stop;
  for (size_t q = 0; q < queries; ++q) {
    std::vector<std::string> passages;
    for (const Candidate& each : stage[q]) passages.push_back(data.corpus[each.passage]);
    auto scores = reranker.score(data.queries[q].text, passages, stop);
    if (!scores) return scores.error();
    for (size_t i = 0; i < scores->size(); ++i) stage[q][i].second = (*scores)[i].score;
    if ((q + 1) % 10 == 0) fmt::print(stderr, "  {} of {} queries judged\n", q + 1, queries);
  }
  return {};
}

// The share is a choice, so it is made on the other half of the queries: each half is ranked with
// the share that was best for the other one.
std::vector<double> held_out(const Data& data, const std::vector<Candidates>& stage,
                             size_t queries) {
  std::vector<double> gains(queries);
  for (size_t half = 0; half < 2; ++half) {
    double best_share = 0, best = -1;
    for (double share = 0; share <= 1.001; share += 0.1) {
      double sum = 0;
      for (size_t q = 1 - half; q < queries; q += 2) {
        sum += gain_of(mixed(stage[q], share), data.queries[q].relevant);
      }
      if (sum > best + 1e-9) best = sum, best_share = share;
    }
    fmt::print(stderr, "  half {}: share {:.1f}\n", half, best_share);
    for (size_t q = half; q < queries; q += 2) {
      gains[q] = gain_of(mixed(stage[q], best_share), data.queries[q].relevant);
    }
  }
  return gains;
}

void report(const std::string& name, const Data& data, const std::vector<Candidates>& stage,
            size_t queries, std::vector<Figure>& figures) {
  std::vector<double> before, alone;
  for (size_t q = 0; q < queries; ++q) {
    before.push_back(gain_of(stage[q], data.queries[q].relevant));
    alone.push_back(gain_of(mixed(stage[q], 1), data.queries[q].relevant));
  }
  const std::pair<const char*, std::vector<double>> subjects[] = {
      {"alone", alone}, {"mixed", held_out(data, stage, queries)}};
  for (const auto& [kind, after] : subjects) {
    std::vector<double> differences;
    double sum = 0, base = 0;
    for (size_t q = 0; q < queries; ++q) {
      differences.push_back(after[q] - before[q]);
      sum += after[q];
      base += before[q];
    }
    const eval::Interval gain = eval::bootstrap_mean(differences);
    const double mean = std::accumulate(differences.begin(), differences.end(), 0.0);
    const auto n = static_cast<double>(queries);
    fmt::print(stderr,
               "{} {}: n {}, nDCG@10 {:.4f} -> {:.4f}, gain {:+.4f}, 95 % {:+.4f} to {:+.4f}\n",
               name, kind, queries, base / n, sum / n, mean / n, gain.low, gain.high);
    Figure figure{.name = fmt::format("rerank-quality/{}-{}", name, kind),
                  .unit = "nDCG@10",
                  .ours = sum / n,
                  .peer = {},
                  .ratio = {},
                  .kind = Goal::RatioAtLeast,
                  .goal = 1};
    if (base > 0) figure.peer = base / n, figure.ratio = sum / base;
    figures.push_back(std::move(figure));
  }
}

Result<void> late_interaction(const std::filesystem::path& file,
                              const encoder::TextEncoderOptions& with, const Data& data,
                              std::vector<Candidates>& stage, std::vector<Figure>& figures) {
  auto late = encoder::load_late_interaction(file, with);
  if (!late) return late.error();
  if (auto done = judge(**late, data, data.queries.size(), stage); !done) return done;
  for (const size_t depth : {10, 50}) {
    std::vector<Candidates> cut = stage;
    for (Candidates& each : cut) each.resize(std::min(depth, each.size()));
    report(fmt::format("late-interaction-of-{}", depth), data, cut, cut.size(), figures);
  }
  return {};
}

Result<std::vector<Figure>> run(Bench& bench) {
  std::vector<Figure> figures;
  const char* shared = std::getenv("TINYARMS_SHARED");
  if (shared == nullptr) return figures;
  auto data = read_data(std::filesystem::path(shared) / "data" / "cosqa", bench.smoke());
  if (!data) return figures;
  const auto& options = bench.options();
  const auto file = options.cache / "all-minilm-l6-v2.f32.gguf";
  if (!std::filesystem::exists(file)) {
    auto imported = engine::import_bert(options.deps / "models" / "all-minilm-l6-v2", file,
                                        engine::EncoderType::F32);
    if (!imported) return imported.error();
  }
  const encoder::TextEncoderOptions with{.threads = options.threads, .precision = {}};
  auto embedder = encoder::load_text_encoder(file, with);
  if (!embedder) return embedder.error();
  auto stage = first_stage(*data, **embedder, 50);
  if (!stage) return stage.error();
  embedder->reset();
  const char* with_late = std::getenv("TINYARMS_RERANK_LATE");
  if (with_late == nullptr || std::string_view(with_late) != "0") {
    if (auto done = late_interaction(file, with, *data, *stage, figures); !done) {
      return done.error();
    }
  }
  const char* limit = std::getenv("TINYARMS_RERANK_QUERIES");
  const size_t queries = std::min<size_t>(
      data->queries.size(), limit != nullptr ? std::strtoul(limit, nullptr, 10) : 100);
  auto judge_model = engine::load_yes_no_reranker(
      options.deps / "models" / "smollm2-135m-instruct.q4_1.gguf", options.threads);
  if (!judge_model || queries == 0) return figures;
  for (Candidates& each : *stage) each.resize(std::min<size_t>(10, each.size()));
  if (auto done = judge(**judge_model, *data, queries, *stage); !done) return done.error();
  report("yes-no-of-10", *data, *stage, queries, figures);
  return figures;
}

const Registration registration("rerank-quality", "what a second opinion adds on CoSQA", run);

}  // namespace
}  // namespace tinyarms::bench
