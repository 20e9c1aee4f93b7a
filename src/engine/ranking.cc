#include "engine/ranking.h"

#include <algorithm>

namespace tinyarms::engine {
namespace {

bool goes_before(const RankedPassage& a, const RankedPassage& b) {
  if (a.score.has_value() != b.score.has_value()) return a.score.has_value();
  return a.score && *a.score > *b.score;
}

// `ranked` holds what has been scored, the latest block at its end.
bool is_clear(std::vector<RankedPassage> ranked, size_t latest, const RankingOptions& options) {
  if (ranked.size() < options.top + latest || options.top == 0) return false;
  const auto block = ranked.end() - static_cast<std::ptrdiff_t>(latest);
  const double best = *std::min_element(block, ranked.end(), goes_before)->score;
  const auto last = ranked.begin() + static_cast<std::ptrdiff_t>(options.top - 1);
  std::nth_element(ranked.begin(), last, ranked.end(), goes_before);
  return *last->score - best > *options.margin;
}

}  // namespace

Result<std::vector<RankedPassage>> rank_passages(Reranker& reranker, const std::string& query,
                                                 std::span<const std::string> passages,
                                                 const RankingOptions& options,
                                                 const StopFlag& stop) {
  std::vector<RankedPassage> ranked;
  const size_t block = options.margin ? std::max<size_t>(options.block, 1) : passages.size();
  while (ranked.size() < passages.size()) {
    const size_t at = ranked.size();
    const size_t count = std::min(block, passages.size() - at);
    auto scores = reranker.score(query, passages.subspan(at, count), stop);
    if (!scores) return scores.error();
    for (size_t i = 0; i < count; ++i) {
      ranked.push_back({at + i, (*scores)[i].score, (*scores)[i].truncated});
    }
    if (options.margin && is_clear(ranked, count, options)) break;
  }
  for (size_t i = ranked.size(); i < passages.size(); ++i) ranked.push_back({.index = i});
  std::stable_sort(ranked.begin(), ranked.end(), goes_before);
  ranked.resize(std::min(ranked.size(), options.top));
  return ranked;
}

}  // namespace tinyarms::engine
