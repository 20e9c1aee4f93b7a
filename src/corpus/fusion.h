// Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009) of two rankings: a passage's score is
// the sum of weight / (constant + rank) over the rankings that it is in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tinyarms::corpus {

struct FusionWeights {
  double words = 0.6;
  double vectors = 1;
  double constant = 2;
};

struct FusedRank {
  int64_t id = 0;
  double score = 0;
  size_t word_rank = 0;    // 1-based; 0: not in that ranking
  size_t vector_rank = 0;
};

// Best first; of equals the smaller id. Each id at most once in a ranking.
std::vector<FusedRank> fuse(std::span<const int64_t> by_words, std::span<const int64_t> by_vectors,
                            const FusionWeights& weights);

}  // namespace tinyarms::corpus
