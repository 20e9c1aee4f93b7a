// Answers that were given before, found again by the same question (exact) or by one whose
// embedding is close (semantic). Entries of different bindings never mix. What is too old, used
// least, or was rejected is not given again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "storage/database.h"
#include "storage/embedding_matrix.h"

namespace tinyarms::storage {

// Whose embeddings they are. A question has one for each, and is compared within one only.
struct CacheEncoder {
  std::string id{};    // its file's hash
  std::string name{};  // for people
};

// What an answer depends on besides its question, as one opaque hash: user, project and its state,
// model, quantisation, sampling, and the conversation before the question. The rest is for people;
// two bindings are the same where their hashes are.
struct Binding {
  std::string hash{};  // 1 to 128 bytes
  std::string user{};
  std::string project{};   // a folder
  std::string state{};     // of the project, a hash
  std::string sampling{};
  CacheEncoder encoder{};  // of the embeddings that come with it; no part of what it is
};

struct CachedAnswer {
  std::string question;
  std::string answer;
  std::string source;  // name of the model that answered
  std::string level;   // its tier: "l2"
  double confidence = 0;
  double created_at = 0;  // seconds since 1970 UTC; put() stamps it, whatever stands here
  std::string name{};     // of the entry; put() makes it
};

struct CacheEntry {
  CachedAnswer answer{};
  Binding binding{};
  uint64_t bytes = 0;
  bool expired = false;
};

struct CacheHit {
  CachedAnswer entry;
  double similarity = 1;  // cosine; 1 for the same question
};

struct CacheStats {
  size_t entries = 0;
  size_t bindings = 0;
  uint64_t bytes = 0;  // of the database file
  uint64_t answer_bytes = 0;  // of what the entries hold
  size_t expired = 0;
  size_t rejected = 0;
};

// What of the entries can be found by meaning, with one encoder.
struct VectorStats {
  size_t with_vector = 0;
  size_t without = 0;   // made by `cache update`; until then the same words alone find them
  size_t too_long = 0;  // for the encoder: always the same words alone
};

struct Unembedded {
  int64_t id = 0;
  std::string question{};
};

struct AnswerCacheOptions {
  size_t entries_max = 10'000;           // over all bindings; the least recently used goes first
  size_t entry_bytes_max = 256 * 1024;   // question and answer; larger ones are not kept
  uint64_t bytes_max = 256 << 20;        // of all entries together; as entries_max
  double seconds_max = 0;                // older ones are not given again; 0: any age
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
  // encoder's; similarity_min outside [-1, 1]).
  Result<std::optional<CacheHit>> find_similar(const Binding& binding,
                                               std::span<const float> embedding,
                                               double similarity_min);

  // What the entry of this question is called: 16 hex digits.
  static std::string name_of(const Binding& binding, std::string_view question);

  // Replaces the entry of the same normalised question; what was rejected is not kept, which is no
  // error. Removes what is too old or too much. An empty embedding: found by find_exact
  // only. Errors: InvalidArgument (as above; empty question or answer; text that is not UTF-8; a
  // confidence outside [0, 1]), OverBudget (larger than entry_bytes_max).
  Result<void> put(const Binding& binding, const CachedAnswer& entry,
                   std::span<const float> embedding);

  Result<CacheStats> stats();
  Result<VectorStats> vector_stats(std::string_view encoder_id);

  // By whose vectors questions are compared where `wanted` is configured: its own where it serves
  // already or nobody else has any, else those of the last that served. Nothing: as is wanted.
  Result<std::optional<CacheEncoder>> serving_encoder(std::string_view wanted_id);
  // Entries that have no vector of this encoder yet, after that id, ascending.
  Result<std::vector<Unembedded>> without_vector(std::string_view encoder_id, int64_t after,
                                                 size_t count);
  // An empty vector: too long. Entries that are gone by now are passed over.
  Result<void> add_vectors(std::string_view encoder_id, std::span<const int64_t> ids,
                           std::span<const std::vector<float>> vectors);
  // It serves from now on. Vectors of all but it and the one before are removed.
  Result<void> let_serve(const CacheEncoder& encoder);

  // Oldest first. The sink's error ends it.
  Result<void> each(const std::function<Result<void>(const CacheEntry&)>& sink);
  // The name that `word` begins (at least four bytes). Errors: NotFound, InvalidArgument (more than
  // one, or too short).
  Result<std::string> resolve(std::string_view word);
  Result<bool> remove(const std::string& name);  // false: there is none

  // Removes the entry of that name, which is never kept again; nor is the same answer to the same
  // question for the same user under another binding. False: only the name was there to reject.
  Result<bool> reject(const std::string& name);

  // Rejections stay.
  Result<size_t> clear();  // how many entries went; gives the disk space back

 private:
  struct BindingMatrix {
    EmbeddingMatrix rows;
    bool in_step = false;
  };

  using MatrixKey = std::pair<std::string, std::string>;  // binding, encoder

  std::optional<CachedAnswer> read_entry(Statement& row, int first_column) const;
  bool is_expired(double created_at) const;
  Result<void> remove_expired();
  Result<void> remove_surplus();
  void look_anew();  // the matrices are no longer in step
  Result<bool> is_rejected(const std::string& name, const std::string& pair);
  Result<void> note_rejection(const std::string& what);
  Result<void> check_entry(const CachedAnswer& entry) const;
  Result<void> check_dimensions(const CacheEncoder& encoder, size_t dimensions);
  Result<void> note_encoder(const CacheEncoder& encoder);
  Result<void> keep_vector(int64_t answer, std::string_view encoder_id,
                           std::span<const float> unit);
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
  std::map<MatrixKey, BindingMatrix> matrices_;
  int64_t data_version_ = -1;
  std::vector<int64_t> uses_;  // hits not yet written down, oldest first
};

}  // namespace tinyarms::storage
