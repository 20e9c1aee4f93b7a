// Answers that were given before, found again by the same question (exact) or by one whose
// embedding is close (semantic). Entries of different bindings never mix.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "storage/database.h"
#include "storage/embedding_matrix.h"

namespace tinyarms::storage {

// What an answer depends on besides its question, as one opaque hash: model, quantisation,
// sampling, the conversation before the question, and the encoder of the embeddings.
struct Binding {
  std::string hash;  // 1 to 128 bytes
};

struct CachedAnswer {
  std::string question;
  std::string answer;
  std::string source;  // name of the model that answered
  std::string level;   // its tier: "l2"
  double confidence = 0;
  double created_at = 0;  // seconds since 1970 UTC; put() stamps it, whatever stands here
};

struct CacheHit {
  CachedAnswer entry;
  double similarity = 1;  // cosine; 1 for the same question
};

struct CacheStats {
  size_t entries = 0;
  size_t bindings = 0;
  uint64_t bytes = 0;  // of the database file
};

struct AnswerCacheOptions {
  size_t entries_max = 10'000;           // over all bindings; the least recently used goes first
  size_t entry_bytes_max = 256 * 1024;   // question and answer; larger ones are not kept
};

// One thread at a time. All calls: the errors of Database. An entry that a damaged or hostile file
// garbled is passed over as if it were not there.
class AnswerCache {
 public:
  // `database` and `clock` outlive the cache.
  AnswerCache(Database& database, const Clock& clock, const AnswerCacheOptions& options = {});
  ~AnswerCache();  // writes down which entries were used
  AnswerCache(const AnswerCache&) = delete;
  AnswerCache& operator=(const AnswerCache&) = delete;

  // The same question up to normalise_question() (storage/question_key.h).
  Result<std::optional<CachedAnswer>> find_exact(const Binding& binding,
                                                 std::string_view question);

  // The entry with the largest cosine, if that reaches `similarity_min`; of equals the newest. A
  // scan of all embeddings of the binding, kept in memory and in step with other processes.
  // Errors: InvalidArgument (embedding empty, zero, not finite, or of other dimensions than the
  // binding's entries; similarity_min outside [-1, 1]).
  Result<std::optional<CacheHit>> find_similar(const Binding& binding,
                                               std::span<const float> embedding,
                                               double similarity_min);

  // Replaces the entry of the same normalised question. An empty embedding: found by find_exact
  // only. Errors: InvalidArgument (as above; empty question or answer; text that is not UTF-8; a
  // confidence outside [0, 1]), OverBudget (larger than entry_bytes_max).
  Result<void> put(const Binding& binding, const CachedAnswer& entry,
                   std::span<const float> embedding);

  Result<CacheStats> stats();
  Result<size_t> clear();  // how many entries went; gives the disk space back

 private:
  struct BindingMatrix {
    EmbeddingMatrix rows;
    bool in_step = false;
  };

  std::optional<CachedAnswer> read_entry(Statement& row, int first_column) const;
  Result<void> check_entry(const CachedAnswer& entry) const;
  Result<void> check_dimensions(const Binding& binding, size_t dimensions);
  Result<BindingMatrix*> matrix_of(const Binding& binding);
  Result<void> bring_in_step(const Binding& binding, EmbeddingMatrix& rows);
  Result<void> load_newer_rows(const Binding& binding, EmbeddingMatrix& rows);
  Result<std::optional<CachedAnswer>> fetch(int64_t id, const Binding& binding);
  void note_use(int64_t id);
  void write_uses();
  void drop(int64_t id);

  Database& database_;
  const Clock& clock_;
  AnswerCacheOptions options_;
  std::map<std::string, BindingMatrix> matrices_;  // by binding hash
  int64_t data_version_ = -1;
  std::vector<int64_t> uses_;  // hits not yet written down, oldest first
};

}  // namespace tinyarms::storage
