#include "storage/embedding_memo.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/sha256.h"
#include "storage/embedding_matrix.h"

namespace tinyarms::storage {

EmbeddingMemo::EmbeddingMemo(Database& database, size_t entries_max)
    : database_(database), entries_max_(entries_max) {}

Result<std::vector<std::optional<std::vector<float>>>> EmbeddingMemo::get(
    std::string_view encoder_sha256, std::span<const std::string> texts) {
  auto row =
      database_.prepare("SELECT embedding FROM embeddings WHERE encoder = ? AND text_key = ?");
  if (!row) return row.error();
  std::vector<std::optional<std::vector<float>>> vectors;
  vectors.reserve(texts.size());
  for (const std::string& text : texts) {
    const std::string key = sha256_hex(text);
    auto found = row->bind(encoder_sha256, std::string_view(key)).step();
    if (!found) return found.error();
    vectors.push_back(*found ? vector_from_blob(row->blob(0)) : std::nullopt);
  }
  return vectors;
}

Result<void> EmbeddingMemo::put(std::string_view encoder_sha256,
                                std::span<const std::string> texts,
                                std::span<const std::vector<float>> vectors) {
  const auto usable = [](const std::vector<float>& values) {
    return !values.empty() && std::all_of(values.begin(), values.end(),
                                          [](float value) { return std::isfinite(value); });
  };
  if (texts.size() != vectors.size() || !std::all_of(vectors.begin(), vectors.end(), usable)) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("{} texts came with {} vectors, all of which must be finite",
                             texts.size(), vectors.size()),
                 "embedding memo", ""};
  }
  auto transaction = Transaction::begin(database_);
  if (!transaction) return transaction.error();
  auto insert = database_.prepare(
      "INSERT OR REPLACE INTO embeddings (encoder, text_key, embedding) VALUES (?, ?, ?)");
  if (!insert) return insert.error();
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string key = sha256_hex(texts[i]);
    insert->bind(encoder_sha256, std::string_view(key), std::span<const float>(vectors[i]));
    if (auto done = insert->run(); !done) return done;
  }
  auto evict = database_.prepare(
      "DELETE FROM embeddings WHERE id IN (SELECT id FROM embeddings ORDER BY id "
      "LIMIT max(0, (SELECT count(*) FROM embeddings) - ?))");
  if (!evict) return evict.error();
  if (auto done = evict->bind(static_cast<int64_t>(entries_max_)).run(); !done) return done;
  return transaction->commit();
}

}  // namespace tinyarms::storage
