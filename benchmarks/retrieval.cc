// How well the index finds: CoSQA's web queries over Python functions, and the standard library's
// first docstring sentences over its functions without their docstrings. By words, by vectors and
// by both; weights may be chosen by the "dev" half of the queries, the figures are of the rest.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>

#include "bench.h"
#include "encoder/text_encoder.h"
#include "engine/bert_import.h"
#include "eval/retrieval.h"
#include "eval/statistics.h"
#include "python_peer.h"

namespace tinyarms::bench {
namespace {

namespace fs = std::filesystem;
using Method = eval::RetrievalRun::Method;

constexpr size_t kSmokeQueries = 40;
constexpr size_t kSmokeDocuments = 200;
constexpr size_t kBatch = 64;

struct Subject {
  std::string name;
  eval::RetrievalSet set;
};

Result<std::unique_ptr<engine::Embedder>> open_encoder(Bench& bench) {
  const auto& options = bench.options();
  const auto file = options.cache / "all-minilm-l6-v2.f32.gguf";
  if (!fs::exists(file)) {
    auto imported = engine::import_bert(options.deps / "models" / "all-minilm-l6-v2", file,
                                        engine::EncoderType::F32);
    if (!imported) return imported.error();
  }
  return encoder::load_text_encoder(file, {.threads = options.threads, .precision = {}});
}

// Writes the set by retrieval_sets.py and reads it; nothing where its data are missing.
Result<std::optional<Subject>> open_set(Bench& bench, const std::string& kind) {
  std::string data;
  if (kind == "cosqa") {
    const char* shared = std::getenv("TINYARMS_SHARED");
    const fs::path folder = shared != nullptr ? fs::path(shared)
                                              : fs::path(TINYARMS_BENCH_SOURCE) / ".." / "shared";
    if (!fs::exists(folder / "data" / "cosqa")) {
      fmt::print(stderr, "SKIPPED: retrieval over CoSQA: no {}\n",
                 (folder / "data" / "cosqa").string());
      return std::optional<Subject>();
    }
    data = (folder / "data").string();
  }
  const fs::path out = bench.options().cache / ("retrieval-" + kind);
  const std::string command =
      fmt::format("python3 '{}/benchmarks/retrieval_sets.py' {} '{}' '{}' >&2",
                  TINYARMS_BENCH_SOURCE, kind, out.string(), data);
  if (std::system(command.c_str()) != 0) {
    return Error{ErrorCode::Internal, "the set could not be made", command, ""};
  }
  auto set = eval::read_retrieval_set(out);
  if (!set) return set.error();
  return std::optional(Subject{kind, std::move(*set)});
}

// The first documents, and the queries that ask for one of them.
void shrink(eval::RetrievalSet& set) {
  if (set.corpus.size() > kSmokeDocuments) set.corpus.resize(kSmokeDocuments);
  std::erase_if(set.queries, [&](const eval::RetrievalQuery& query) {
    return query.relevant.front() >= set.corpus.size();
  });
  if (set.queries.size() > kSmokeQueries) set.queries.resize(kSmokeQueries);
}

struct Scores {
  std::vector<double> ndcg;
  std::vector<double> mrr;
  std::vector<double> recall;
};

Scores score(const eval::RetrievalRun& run, const eval::RetrievalSet& set, Method method,
             const std::string& split, const corpus::FusionWeights& weights) {
  Scores scores;
  for (size_t i = 0; i < set.queries.size(); ++i) {
    if (set.queries[i].split != split) continue;
    const auto figures =
        eval::retrieval_figures(run.ranking(i, method, weights), set.queries[i].relevant);
    scores.ndcg.push_back(figures.ndcg10);
    scores.mrr.push_back(figures.mrr);
    scores.recall.push_back(figures.recall10);
  }
  return scores;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// The best weight by the development half: printed, never used for the figures.
void show_weights(const eval::RetrievalRun& run, const Subject& subject) {
  corpus::FusionWeights best;
  double top = -1;
  for (const double words : {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 4.0}) {
    const corpus::FusionWeights weights{.words = words, .vectors = 1};
    const double value = mean(score(run, subject.set, Method::Hybrid, "dev", weights).ndcg);
    if (value > top) {
      top = value;
      best = weights;
    }
  }
  const corpus::FusionWeights used;
  fmt::print(stderr,
             "  {}: dev half: nDCG@10 {:.4f} at the weight in use (words {}), {:.4f} at its best "
             "(words {})\n",
             subject.name,
             mean(score(run, subject.set, Method::Hybrid, "dev", used).ndcg), used.words, top,
             best.words);
}

void print_row(const char* name, const std::vector<double>& values) {
  const eval::Interval interval = eval::bootstrap_mean(values);
  fmt::print(stderr, "  {:<10} {:.4f} [{:.4f}, {:.4f}]", name, mean(values), interval.low,
             interval.high);
}

// The share of the other method's nDCG@10, and whether the paired difference is above zero.
Figure against(const Subject& subject, const Scores& hybrid, const Scores& other,
               std::string_view name) {
  std::vector<eval::ScorePair> pairs;
  for (size_t i = 0; i < hybrid.ndcg.size(); ++i) {
    pairs.push_back({other.ndcg[i], hybrid.ndcg[i]});
  }
  const eval::Paired paired = eval::compare(pairs);
  fmt::print(stderr, "  hybrid − {}: {:+.4f} [{:+.4f}, {:+.4f}] of nDCG@10, {} queries\n", name,
             paired.difference, paired.interval.low, paired.interval.high, pairs.size());
  return {.name = fmt::format("retrieval/{}/ndcg10/over-{}", subject.name, name),
          .unit = "nDCG@10",
          .ours = paired.second,
          .peer = paired.first,
          .ratio = paired.first > 0 ? paired.second / paired.first : 0,
          .kind = Goal::RatioAtLeast,
          .goal = 1};
}

Result<void> measure(Bench& bench, Subject& subject, engine::Embedder& embedder,
                     std::vector<Figure>& figures) {
  if (bench.smoke()) shrink(subject.set);
  const auto embed =
      [&](std::span<const std::string> texts) -> Result<std::vector<std::vector<float>>> {
    std::vector<std::vector<float>> vectors;
    for (size_t at = 0; at < texts.size(); at += kBatch) {
      auto some = embedder.embed(texts.subspan(at, std::min(kBatch, texts.size() - at)));
      if (!some) return some.error();
      for (auto& each : *some) vectors.push_back(std::move(each.values));
    }
    return vectors;
  };
  auto run = eval::RetrievalRun::open(subject.set, embed);
  if (!run) return run.error();
  show_weights(*run, subject);
  std::array<Scores, 3> scores;
  const std::array methods = {Method::Bm25, Method::Cosine, Method::Hybrid};
  for (size_t m = 0; m < methods.size(); ++m) {
    scores[m] = score(*run, subject.set, methods[m], "held-out", {});
    fmt::print(stderr, "  {} {:<8}", subject.name, eval::method_name(methods[m]));
    print_row("nDCG@10", scores[m].ndcg);
    print_row("MRR", scores[m].mrr);
    print_row("recall@10", scores[m].recall);
    fmt::print(stderr, "\n");
  }
  figures.push_back(against(subject, scores[2], scores[0], "bm25"));
  figures.push_back(against(subject, scores[2], scores[1], "vectors"));
  return {};
}

Result<std::vector<Figure>> run(Bench& bench) {
  auto embedder = open_encoder(bench);
  if (!embedder) return embedder.error();
  std::vector<Figure> figures;
  for (const char* kind : {"cosqa", "stdlib"}) {
    auto subject = open_set(bench, kind);
    if (!subject) return subject.error();
    if (!*subject) continue;
    if (auto done = measure(bench, **subject, **embedder, figures); !done) return done.error();
  }
  return figures;
}

const Registration registration("retrieval",
                                "what the index finds, by words, by vectors and by both", run);

}  // namespace
}  // namespace tinyarms::bench
