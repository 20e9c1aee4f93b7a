#include "corpus/fusion.h"

#include <algorithm>
#include <unordered_map>

namespace tinyarms::corpus {
namespace {

constexpr double kCosineToAPoint = 0.01;  // of BM25 at a weight of 1

}  // namespace

std::vector<FusedRank> fuse(const Rankings& rankings, const FusionWeights& weights) {
  std::vector<FusedRank> fused;
  std::unordered_map<int64_t, size_t> places;
  const auto place = [&](int64_t id) -> FusedRank& {
    const auto [found, fresh] = places.try_emplace(id, fused.size());
    if (fresh) fused.push_back({.id = id});
    return fused[found->second];
  };
  const auto& [by_words, by_vectors] = rankings;
  for (size_t i = 0; i < by_vectors.size(); ++i) {
    FusedRank& each = place(by_vectors[i].id);
    each.vector_rank = i + 1;
    each.score = weights.vectors * double{by_vectors[i].cosine - by_vectors.back().cosine};
  }
  for (size_t i = 0; i < by_words.size(); ++i) {
    FusedRank& each = place(by_words[i].id);
    each.word_rank = i + 1;
    each.score += weights.words * kCosineToAPoint * by_words[i].bm25;
  }
  std::sort(fused.begin(), fused.end(), [](const FusedRank& a, const FusedRank& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  });
  return fused;
}

}  // namespace tinyarms::corpus
