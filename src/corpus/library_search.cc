#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "corpus/library.h"
#include "corpus/words.h"

namespace tinyarms::corpus {
namespace {

constexpr size_t kDepth = 100;  // of each ranking that is fused
constexpr storage::WordWeights kWordWeights = {.symbol = 3, .path = 1, .body = 1};

}  // namespace

// The passages of the files that a filter lets through, ascending.
Result<std::vector<int64_t>> Library::allowed(const SearchQuery& query) {
  auto rows = store_->passage_files();
  if (!rows) return rows.error();
  auto files = store_->files_under("");
  if (!files) return files.error();
  std::unordered_set<int64_t> wanted;
  for (const storage::FileRow& file : *files) {
    if (!query.language.empty() && file.language != query.language) continue;
    if (query.wanted && !query.wanted(file.path)) continue;
    wanted.insert(file.id);
  }
  std::vector<int64_t> ids;
  for (const auto& [passage, file] : *rows) {
    if (wanted.count(file) > 0) ids.push_back(passage);
  }
  return ids;
}

Result<Rankings> Library::rank(const SearchQuery& query, size_t depth) {
  const bool filtered = !query.language.empty() || query.wanted != nullptr;
  std::vector<int64_t> ids;
  if (filtered) {
    auto some = allowed(query);
    if (!some) return some.error();
    ids = std::move(*some);
  }
  const auto keep = [&](auto& matches) {
    if (filtered) {
      std::erase_if(matches, [&](const auto& match) {
        return !std::binary_search(ids.begin(), ids.end(), match.id);
      });
    }
    if (matches.size() > depth) matches.resize(depth);
  };
  Rankings rankings;
  auto words = store_->find_words({.words = query_words(query.text),
                                   .weights = kWordWeights,
                                   .count = filtered ? 0 : depth});
  if (!words) return words.error();
  rankings.by_words = std::move(*words);
  keep(rankings.by_words);
  if (vectors() == 0 || query.vector.empty()) return rankings;
  if (!query.made_by.empty() && query.made_by != serving_.maker.model_id) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("the question was embedded by another model than {}, whose vectors "
                             "are searched", serving_.maker.model),
                 options_.folder.string(), "ask again"};
  }
  auto near = serving_.index->search(query.vector, {.count = filtered ? vectors() : depth});
  if (!near) return near.error();
  rankings.by_vectors = std::move(*near);
  keep(rankings.by_vectors);
  return rankings;
}

Result<std::vector<Found>> Library::search(const SearchQuery& query) {
  auto rankings = rank(query, std::max(kDepth, 2 * query.count));
  if (!rankings) return rankings.error();
  std::vector<Found> found;
  for (const FusedRank& each : fuse(*rankings, query.weights)) {
    if (found.size() == query.count) break;
    auto rows = store_->passages(std::span(&each.id, 1));
    if (!rows) return rows.error();
    if (rows->empty()) continue;  // removed while we looked
    const auto word = each.word_rank;
    const auto vector = each.vector_rank;
    found.push_back({.passage = std::move(rows->front()),
                     .score = each.score,
                     .bm25 = word > 0 ? rankings->by_words[word - 1].bm25 : 0,
                     .cosine = vector > 0 ? double{rankings->by_vectors[vector - 1].cosine} : 0,
                     .word_rank = word,
                     .vector_rank = vector});
  }
  return found;
}

}  // namespace tinyarms::corpus
