// Embeddings of texts that never change (the intent prototypes), so that an encoder sees each only
// once, whatever the number of processes. Same database file as the answer cache.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/database.h"

namespace tinyarms::storage {

// One thread at a time. All calls: the errors of Database.
class EmbeddingMemo {
 public:
  // `database` outlives the memo. Beyond `entries_max` the oldest entries go.
  explicit EmbeddingMemo(Database& database, size_t entries_max = 8192);

  // One entry a text, in order; empty where the vector is not known or was garbled.
  Result<std::vector<std::optional<std::vector<float>>>> get(std::string_view encoder_sha256,
                                                             std::span<const std::string> texts);

  // All or none. Errors: InvalidArgument (not as many vectors as texts; a vector that is empty or
  // not finite).
  Result<void> put(std::string_view encoder_sha256, std::span<const std::string> texts,
                   std::span<const std::vector<float>> vectors);

 private:
  Database& database_;
  size_t entries_max_;
};

}  // namespace tinyarms::storage
