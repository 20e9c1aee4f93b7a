// What L1 remembers between questions, opened when first needed. A database that cannot be opened
// or read costs the memory, never the answer: the reason is told once, as a notice.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "cascade/request.h"
#include "cascade/trace.h"
#include "storage/answer_cache.h"
#include "storage/embedding_memo.h"

namespace tinyarms::tiers {

// Where a question is asked: answers about one project, or one state of it, are none about another.
struct Place {
  std::string project{};  // its folder; empty: in none
  std::string state{};    // a hash that changes with the project; empty: unknown
};

// Everything but the question that an answer depends on. `stack` names the models that answer
// above L1 and their files' hashes.
storage::Binding answer_binding(const cascade::Request& request, std::string_view stack,
                                const Place& place = {});

// Thread-safe: one call after the other reaches the database.
class AnswerMemory {
 public:
  AnswerMemory(std::filesystem::path database, size_t entries_max, const Clock& clock);
  AnswerMemory(std::filesystem::path database, const storage::AnswerCacheOptions& options,
               const Clock& clock);
  ~AnswerMemory();

  std::optional<storage::CachedAnswer> find_exact(const storage::Binding&,
                                                  std::string_view question);
  std::optional<storage::CacheHit> find_similar(const storage::Binding&,
                                                std::span<const float> embedding,
                                                double similarity_min);
  void remember(const storage::Binding&, const storage::CachedAnswer&,
                std::span<const float> embedding);

  // See AnswerCache::serving_encoder; nothing where the memory cannot tell.
  std::optional<storage::CacheEncoder> serving_encoder(std::string_view wanted_id);

  // The vectors of texts that never change; where the memory cannot help, `embed` is asked.
  template <typename Embed>
  Result<std::vector<std::vector<float>>> memoised(std::string_view encoder_sha256,
                                                   std::span<const std::string> texts,
                                                   const Embed& embed) {
    if (auto known = recall(encoder_sha256, texts)) return std::move(*known);
    auto vectors = embed(texts);
    if (vectors) keep(encoder_sha256, texts, *vectors);
    return vectors;
  }

  // What the user should know since the last call: a database set aside, a full disk.
  std::string take_notice();

 private:
  struct Store;

  // With the lock held: null where the database cannot be opened.
  Store* store();
  void note(const Error& error);
  std::optional<std::vector<std::vector<float>>> recall(std::string_view encoder_sha256,
                                                        std::span<const std::string> texts);
  void keep(std::string_view encoder_sha256, std::span<const std::string> texts,
            std::span<const std::vector<float>> vectors);

  std::filesystem::path path_;
  storage::AnswerCacheOptions options_;
  const Clock& clock_;
  std::mutex mutex_;  // of all below
  std::unique_ptr<Store> store_;
  bool tried_ = false;
  std::string notice_;
};

}  // namespace tinyarms::tiers
