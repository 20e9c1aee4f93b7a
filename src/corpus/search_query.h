// What is looked for in the index, and what is found.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "corpus/fusion.h"
#include "storage/passage_store.h"

namespace tinyarms::corpus {

struct SearchQuery {
  std::string text = {};               // words of it are looked for; empty: vectors only
  std::span<const float> vector = {};  // empty: words only
  std::string_view made_by = {};       // model_id of its encoder; empty: that of the index
  size_t count = 10;
  FusionWeights weights = {};
  std::string language = {};            // only this one
  std::function<bool(std::string_view path)> wanted = {};  // only these files
};

struct Found {
  storage::PassageRow passage;
  double score = 0;        // of the fusion
  double bm25 = 0;         // 0: not found by words
  double cosine = 0;       // 0: not among the nearest
  size_t word_rank = 0;    // 1-based; 0: not found so
  size_t vector_rank = 0;
};

}  // namespace tinyarms::corpus
