// How well passages are found: a set of documents and queries, put through the index that
// `tinyarms search` uses, ranked by words, by vectors and by both.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "corpus/library.h"
#include "eval/embedding_task.h"

namespace tinyarms::eval {

struct RetrievalDocument {
  std::string id;
  std::string text;
  std::string language;  // of rules::languages(), for the names in it; may be empty
};

struct RetrievalQuery {
  std::string id;
  std::string text;
  std::string split;             // "dev", "held-out"; may be empty
  std::vector<size_t> relevant;  // indices of documents
};

struct RetrievalSet {
  std::vector<RetrievalDocument> corpus;
  std::vector<RetrievalQuery> queries;
};

// `folder`/corpus.jsonl: {"id", "text"}, optionally "language"; queries.jsonl: {"id", "text",
// "relevant": [ids]}, optionally "split". Errors: NotFound, Corrupt (with file and line).
Result<RetrievalSet> read_retrieval_set(const std::filesystem::path& folder);

// Indexed in a temporary folder that goes with it.
class RetrievalRun {
 public:
  // Errors: those of `embed` and of the index.
  static Result<RetrievalRun> open(const RetrievalSet& set, const EmbedTexts& embed);
  ~RetrievalRun();
  RetrievalRun(RetrievalRun&&) noexcept;
  RetrievalRun& operator=(RetrievalRun&&) = delete;

  // By query, as the set has them.
  const std::vector<corpus::Rankings>& rankings() const { return rankings_; }

  // Document numbers, best first, of query `query`.
  enum class Method { Bm25, Cosine, Hybrid };
  std::vector<size_t> ranking(size_t query, Method method,
                              const corpus::FusionWeights& weights = {}) const;

 private:
  explicit RetrievalRun(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<void> index(const RetrievalSet& set, const EmbedTexts& embed);

  std::filesystem::path folder_;
  std::vector<int64_t> ids_;  // of passages, by document
  std::vector<corpus::Rankings> rankings_;
};
std::string_view method_name(RetrievalRun::Method method);  // "bm25", "vectors", "hybrid"

struct RetrievalFigures {
  double ndcg10 = 0;  // binary gains; the ideal is every relevant document first
  double mrr = 0;
  double recall10 = 0;
};
RetrievalFigures retrieval_figures(const std::vector<size_t>& ranking,
                                   const std::vector<size_t>& relevant);

std::unique_ptr<EmbeddingTask> make_retrieval();

}  // namespace tinyarms::eval
