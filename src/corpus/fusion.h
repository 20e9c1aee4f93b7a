// Two rankings of one search as one: a passage's score is the weighted sum of its cosine and its
// BM25 (a linear combination, as in Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions
// for Hybrid Retrieval"; docs/decisions/0098 has why not by ranks).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/vector_index.h"
#include "storage/passage_store.h"

namespace tinyarms::corpus {

// The two rankings that a search fuses, each best first and each passage at most once.
struct Rankings {
  std::vector<storage::WordMatch> by_words;
  std::vector<index::Match> by_vectors;
};

struct FusionWeights {
  double words = 0.6;  // of a point of BM25, in hundredths of a cosine
  double vectors = 1;  // of the cosine
};

struct FusedRank {
  int64_t id = 0;
  double score = 0;
  size_t word_rank = 0;    // 1-based; 0: not in that ranking
  size_t vector_rank = 0;
};

// Best first; of equals the smaller id. A passage that only the words found counts as far away as
// the last that the vectors found: its true cosine changes nothing that shows.
std::vector<FusedRank> fuse(const Rankings& rankings, const FusionWeights& weights);

}  // namespace tinyarms::corpus
