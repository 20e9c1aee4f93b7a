// How often may the answer cache serve if at most one hit in a hundred may be false? Labelled pairs
// of questions by source, and of each source's hard part (technical, word overlap of a half or
// more): by the cosine alone, with the gate, with a second look by late interaction at what both
// let through, and with that look instead of the gate. Two answers each: "in hindsight", the laxest
// threshold that keeps to the budget on these very pairs, and "shown", the one whose bound by
// Clopper and Pearson does, as `tinyarms cache calibrate` demands it. Needs TINYARMS_SHARED
// (data/duplicates); without it nothing is measured.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "bench.h"
#include "encoder/text_encoder.h"
#include "encoder/text_reranker.h"
#include "engine/bert_import.h"
#include "gate/gate.h"
#include "service/cache_pairs.h"

namespace tinyarms::bench {
namespace {

using service::QuestionPair;

constexpr double kBudget = 0.01;
constexpr double kCandidateMin = service::kThresholdMin;  // cosine below which nothing is served
constexpr size_t kBatch = 128;
constexpr double kHardOverlap = 0.5;

struct Judged {
  QuestionPair pair{};
  bool hard = false;
  double closeness = -1;  // late interaction, the smaller of both directions
};

Result<std::vector<Judged>> read_pairs(const std::filesystem::path& file, bool smoke) {
  std::ifstream lines(file);
  std::vector<Judged> all;
  for (std::string line; std::getline(lines, line) && !(smoke && all.size() >= 24);) {
    auto parsed = service::parse_pairs(line, file.string());
    if (!parsed) return parsed.error();
    const auto json = nlohmann::json::parse(line, nullptr, false);
    const bool hard = json.is_object() && json.value("tech", false) &&
                      json.value("jaccard", 0.0) >= kHardOverlap;
    all.push_back({.pair = std::move(parsed->front()), .hard = hard});
  }
  return all;
}

Result<void> judge(const std::filesystem::path& encoder, const encoder::TextEncoderOptions& with,
                   std::vector<Judged>& all) {
  auto embedder = encoder::load_text_encoder(encoder, with);
  if (!embedder) return embedder.error();
  const gate::Gate gate = gate::Gate::bundled();
  for (size_t begin = 0; begin < all.size(); begin += kBatch) {
    const size_t end = std::min(all.size(), begin + kBatch);
    std::vector<std::string> texts;
    for (size_t i = begin; i < end; ++i) {
      texts.push_back(all[i].pair.a);
      texts.push_back(all[i].pair.b);
    }
    auto vectors = (*embedder)->embed(texts);
    if (!vectors) return vectors.error();
    for (size_t i = begin; i < end; ++i) {
      const auto& a = (*vectors)[2 * (i - begin)].values;
      const auto& b = (*vectors)[2 * (i - begin) + 1].values;
      QuestionPair& pair = all[i].pair;
      pair.similarity = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
      pair.gate_open = gate.compare(pair.a, pair.b).same;
    }
  }
  embedder->reset();
  auto late = encoder::load_late_interaction(encoder, with);
  if (!late) return late.error();
  const StopFlag stop;
  for (Judged& each : all) {
    if (each.pair.similarity < kCandidateMin) continue;
    auto there = (*late)->score(each.pair.a, std::span(&each.pair.b, 1), stop);
    if (!there) return there.error();
    auto back = (*late)->score(each.pair.b, std::span(&each.pair.a, 1), stop);
    if (!back) return back.error();
    each.closeness = std::min(there->front().score, back->front().score);
  }
  return {};
}

struct Method {
  const char* name;
  bool gate;
  bool rerank;
};
constexpr Method kMethods[] = {{"cosine", false, false},
                               {"cosine+gate", true, false},
                               {"cosine+reranker", false, true},
                               {"cosine+gate+reranker", true, true}};

// As the cache would rank them: `similarity` the score that the threshold is held against.
std::vector<QuestionPair> ranked_by(const Method& method, const std::vector<Judged>& group) {
  std::vector<QuestionPair> pairs;
  for (const Judged& each : group) {
    QuestionPair pair = each.pair;
    const bool candidate = pair.similarity >= kCandidateMin;
    pair.gate_open = candidate && (!method.gate || pair.gate_open);
    // From −1..1 to 0..1, so that the cosines' lower limit of a threshold cuts nothing off.
    if (method.rerank) pair.similarity = std::max(kCandidateMin, (each.closeness + 1) / 2);
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

// The laxest threshold that keeps to the budget on these pairs; above all scores where none does.
double in_hindsight(const std::vector<QuestionPair>& pairs) {
  std::vector<const QuestionPair*> open;
  for (const QuestionPair& pair : pairs) {
    if (pair.gate_open) open.push_back(&pair);
  }
  std::sort(open.begin(), open.end(), [](const QuestionPair* a, const QuestionPair* b) {
    return a->similarity > b->similarity;
  });
  double threshold = 2;
  size_t wrong = 0;
  for (size_t i = 0; i < open.size(); ++i) {
    wrong += open[i]->duplicate ? 0 : 1;
    const bool tied = i + 1 < open.size() && open[i + 1]->similarity == open[i]->similarity;
    if (!tied && static_cast<double>(wrong) <= kBudget * static_cast<double>(i + 1)) {
      threshold = open[i]->similarity;
    }
  }
  return threshold;
}

std::string hits_text(const service::PairCounts& counts) {
  return fmt::format("{:5.2f} % ({}, {} false)", 100 * counts.hit_rate, counts.hits,
                     counts.false_hits);
}

void report(const std::string& name, const std::vector<Judged>& group,
            std::vector<Figure>& figures) {
  const auto duplicates = std::count_if(group.begin(), group.end(), [](const Judged& each) {
    return each.pair.duplicate;
  });
  fmt::print(stderr, "{}: {} pairs, {} duplicates\n", name, group.size(), duplicates);
  std::optional<double> alone;
  for (const Method& method : kMethods) {
    const std::vector<QuestionPair> pairs = ranked_by(method, group);
    const double laxest = in_hindsight(pairs);
    const service::PairCounts counts = service::count_pairs(pairs, laxest);
    const auto shown = service::calibrate_threshold(pairs, kBudget);
    fmt::print(stderr, "  {:<22} in hindsight {:<24} from {:.3f}   shown {}\n", method.name,
               hits_text(counts), laxest,
               shown ? hits_text(service::count_pairs(pairs, *shown)) : std::string("none"));
    if (counts.hits == 0) continue;
    Figure figure{.name = fmt::format("cache-quality/{}/{}", name, method.name),
                  .unit = "hit rate", .ours = counts.hit_rate, .peer = alone, .ratio = {},
                  .kind = Goal::OursAtMost, .goal = 1};
    if (alone) figure.ratio = counts.hit_rate / *alone, figure.kind = Goal::RatioAtLeast;
    if (&method == kMethods) alone = counts.hit_rate;
    figures.push_back(std::move(figure));
  }
}

Result<std::vector<Figure>> run(Bench& bench) {
  std::vector<Figure> figures;
  const char* shared = std::getenv("TINYARMS_SHARED");
  if (shared == nullptr) return figures;
  const auto data = std::filesystem::path(shared) / "data" / "duplicates" / "pairs_dev.jsonl";
  if (!std::filesystem::exists(data)) return figures;
  auto all = read_pairs(data, bench.smoke());
  if (!all) return all.error();
  const auto& options = bench.options();
  const auto file = options.cache / "all-minilm-l6-v2.f32.gguf";
  if (!std::filesystem::exists(file)) {
    auto imported = engine::import_bert(options.deps / "models" / "all-minilm-l6-v2", file,
                                        engine::EncoderType::F32);
    if (!imported) return imported.error();
  }
  auto judged = judge(file, {.threads = options.threads, .precision = {}}, *all);
  if (!judged) return judged.error();
  std::map<std::string, std::vector<Judged>> groups;
  for (const Judged& each : *all) {
    groups["all"].push_back(each);
    groups[each.pair.source].push_back(each);
    if (!each.hard) continue;
    groups["all, hard"].push_back(each);
    groups[each.pair.source + ", hard"].push_back(each);
  }
  for (const auto& [name, group] : groups) report(name, group, figures);
  return figures;
}

const Registration registration("cache-quality",
                                "what the answer cache may serve at 1 % of false hits", run);

}  // namespace
}  // namespace tinyarms::bench
