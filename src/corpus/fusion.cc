#include "corpus/fusion.h"

#include <algorithm>
#include <unordered_map>

namespace tinyarms::corpus {

std::vector<FusedRank> fuse(std::span<const int64_t> by_words, std::span<const int64_t> by_vectors,
                            const FusionWeights& weights) {
  std::vector<FusedRank> fused;
  std::unordered_map<int64_t, size_t> places;
  const auto place = [&](int64_t id) -> FusedRank& {
    const auto [found, fresh] = places.try_emplace(id, fused.size());
    if (fresh) fused.push_back({.id = id});
    return fused[found->second];
  };
  for (size_t i = 0; i < by_words.size(); ++i) {
    FusedRank& each = place(by_words[i]);
    each.word_rank = i + 1;
    each.score += weights.words / (weights.constant + static_cast<double>(i + 1));
  }
  for (size_t i = 0; i < by_vectors.size(); ++i) {
    FusedRank& each = place(by_vectors[i]);
    each.vector_rank = i + 1;
    each.score += weights.vectors / (weights.constant + static_cast<double>(i + 1));
  }
  std::sort(fused.begin(), fused.end(), [](const FusedRank& a, const FusedRank& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  });
  return fused;
}

}  // namespace tinyarms::corpus
