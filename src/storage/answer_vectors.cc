// The embeddings of remembered questions: one for each encoder, so that another encoder's can be
// made while those of the one before still serve (decision 0130).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "storage/answer_cache.h"

namespace tinyarms::storage {
namespace {

// Every conversation has a binding of its own; a long-lived process forgets the old matrices.
constexpr size_t kMatricesMax = 16;
constexpr double kUnitTolerance = 1e-3;

Error wrong_vector(std::string what) {
  return Error{ErrorCode::InvalidArgument, std::move(what), "answer cache", ""};
}

}  // namespace

Result<void> AnswerCache::check_dimensions(const CacheEncoder& encoder, size_t dimensions) {
  if (dimensions == 0) return {};
  auto row = database_.prepare(
      "SELECT length(vector) FROM vectors WHERE encoder = ? AND vector IS NOT NULL LIMIT 1");
  if (!row) return row.error();
  auto found = row->bind(std::string_view(encoder.id)).step();
  if (!found) return found.error();
  if (!*found) return {};
  const size_t known = static_cast<size_t>(row->integer(0)) / sizeof(float);
  if (known == dimensions) return {};
  return wrong_vector(fmt::format("the embedding has {} dimensions, those of its encoder {}",
                                  dimensions, known));
}

Result<void> AnswerCache::note_encoder(const CacheEncoder& encoder) {
  auto note = database_.prepare("INSERT OR IGNORE INTO encoders (encoder, name) VALUES (?, ?)");
  if (!note) return note.error();
  return note->bind(std::string_view(encoder.id), std::string_view(encoder.name)).run();
}

Result<void> AnswerCache::keep_vector(int64_t answer, std::string_view encoder_id,
                                      std::span<const float> unit) {
  auto keep = database_.prepare(
      "INSERT OR REPLACE INTO vectors (answer, encoder, vector) "
      "SELECT id, ?, ? FROM answers WHERE id = ?");
  if (!keep) return keep.error();
  return keep->bind(encoder_id, unit, answer).run();
}

Result<AnswerCache::BindingMatrix*> AnswerCache::matrix_of(const Binding& binding) {
  auto version = database_.data_version();
  if (!version) return version.error();
  if (*version != data_version_) {
    look_anew();
    data_version_ = *version;
  }
  const MatrixKey key{binding.hash, binding.encoder.id};
  if (matrices_.size() >= kMatricesMax && matrices_.count(key) == 0) matrices_.clear();
  BindingMatrix& matrix = matrices_[key];
  if (!matrix.in_step) {
    if (auto done = bring_in_step(binding, matrix.rows); !done) return done.error();
    matrix.in_step = true;
  }
  return &matrix;
}

Result<void> AnswerCache::bring_in_step(const Binding& binding, EmbeddingMatrix& rows) {
  if (rows.rows() > 0) {
    auto listing = database_.prepare(
        "SELECT a.id FROM answers a JOIN vectors v ON v.answer = a.id AND v.encoder = ? "
        "WHERE a.binding = ? AND v.vector IS NOT NULL ORDER BY a.id");
    if (!listing) return listing.error();
    listing->bind(std::string_view(binding.encoder.id), std::string_view(binding.hash));
    std::vector<int64_t> ids;
    while (true) {
      auto row = listing->step();
      if (!row) return row.error();
      if (!*row) break;
      ids.push_back(listing->integer(0));
    }
    // An older entry that got its vector by now: rows are only ever appended, so all come anew.
    const int64_t last = rows.ids().back();
    const bool older = std::any_of(ids.begin(), ids.end(), [&](int64_t id) {
      return id <= last && !std::binary_search(rows.ids().begin(), rows.ids().end(), id);
    });
    if (older) {
      rows = {};
    } else {
      rows.retain(ids);
    }
  }
  return load_newer_rows(binding, rows);
}

Result<void> AnswerCache::load_newer_rows(const Binding& binding, EmbeddingMatrix& rows) {
  auto newer = database_.prepare(
      "SELECT a.id, v.vector FROM answers a "
      "JOIN vectors v ON v.answer = a.id AND v.encoder = ? "
      "WHERE a.binding = ? AND a.id > ? AND v.vector IS NOT NULL ORDER BY a.id");
  if (!newer) return newer.error();
  const int64_t last = rows.rows() > 0 ? rows.ids().back() : INT64_MIN;
  newer->bind(std::string_view(binding.encoder.id), std::string_view(binding.hash), last);
  std::vector<int64_t> garbled;
  while (true) {
    auto row = newer->step();
    if (!row) return row.error();
    if (!*row) break;
    const int64_t id = newer->integer(0);
    const auto values = vector_from_blob(newer->blob(1));
    const bool fits = values && (rows.rows() == 0 || values->size() == rows.dimensions()) &&
                      std::abs(dot_product(*values, *values) - 1) < kUnitTolerance;
    if (fits) {
      rows.append(id, *values);
    } else {
      garbled.push_back(id);
    }
  }
  for (int64_t id : garbled) drop(id);
  return {};
}

Result<VectorStats> AnswerCache::vector_stats(std::string_view encoder_id) {
  auto row = database_.prepare(
      "SELECT count(v.vector), count(*) - count(v.answer), count(v.answer) - count(v.vector) "
      "FROM answers a LEFT JOIN vectors v ON v.answer = a.id AND v.encoder = ?");
  if (!row) return row.error();
  auto found = row->bind(encoder_id).step();
  if (!found) return found.error();
  return VectorStats{.with_vector = static_cast<size_t>(row->integer(0)),
                     .without = static_cast<size_t>(row->integer(1)),
                     .too_long = static_cast<size_t>(row->integer(2))};
}

Result<std::optional<CacheEncoder>> AnswerCache::serving_encoder(std::string_view wanted_id) {
  auto row = database_.prepare(
      "SELECT encoder, name FROM encoders e WHERE encoder = ? OR EXISTS ("
      "SELECT 1 FROM vectors v WHERE v.encoder = e.encoder) "
      "ORDER BY encoder = ? DESC, number DESC LIMIT 1");
  if (!row) return row.error();
  auto found = row->bind(wanted_id, wanted_id).step();
  if (!found) return found.error();
  if (!*found) return std::optional<CacheEncoder>();
  return std::optional(
      CacheEncoder{.id = std::string(row->text(0)), .name = std::string(row->text(1))});
}

Result<std::vector<Unembedded>> AnswerCache::without_vector(std::string_view encoder_id,
                                                            int64_t after, size_t count) {
  auto rows = database_.prepare(
      "SELECT a.id, a.question FROM answers a "
      "WHERE a.id > ? AND NOT EXISTS ("
      "SELECT 1 FROM vectors v WHERE v.answer = a.id AND v.encoder = ?) ORDER BY a.id LIMIT ?");
  if (!rows) return rows.error();
  rows->bind(after, encoder_id, static_cast<int64_t>(count));
  std::vector<Unembedded> found;
  while (true) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return found;
    found.push_back({.id = rows->integer(0), .question = std::string(rows->text(1))});
  }
}

Result<void> AnswerCache::add_vectors(std::string_view encoder_id, std::span<const int64_t> ids,
                                      std::span<const std::vector<float>> vectors) {
  if (ids.size() != vectors.size()) return wrong_vector("not as many vectors as entries");
  auto transaction = Transaction::begin(database_);
  if (!transaction) return transaction.error();
  for (size_t i = 0; i < ids.size(); ++i) {
    std::optional<std::vector<float>> unit = std::vector<float>();
    if (!vectors[i].empty()) unit = unit_vector(vectors[i]);
    if (!unit) return wrong_vector("an embedding is zero or not finite");
    const CacheEncoder encoder{.id = std::string(encoder_id)};
    if (auto checked = check_dimensions(encoder, unit->size()); !checked) return checked;
    if (auto kept = keep_vector(ids[i], encoder_id, *unit); !kept) return kept;
  }
  if (auto done = transaction->commit(); !done) return done;
  look_anew();
  return {};
}

Result<void> AnswerCache::let_serve(const CacheEncoder& encoder) {
  auto transaction = Transaction::begin(database_);
  if (!transaction) return transaction.error();
  // Last of all, also where it served before.
  auto old = database_.prepare("DELETE FROM encoders WHERE encoder = ?");
  if (!old) return old.error();
  if (auto done = old->bind(std::string_view(encoder.id)).run(); !done) return done;
  if (auto done = note_encoder(encoder); !done) return done;
  for (const char* statement :
       {"DELETE FROM encoders WHERE number NOT IN ("
        "SELECT number FROM encoders ORDER BY number DESC LIMIT 2)",
        "DELETE FROM vectors WHERE encoder NOT IN (SELECT encoder FROM encoders)"}) {
    if (auto done = database_.execute(statement); !done) return done;
  }
  return transaction->commit();
}

}  // namespace tinyarms::storage
