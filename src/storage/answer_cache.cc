#include "storage/answer_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "storage/answer_key.h"

namespace tinyarms::storage {
namespace {

constexpr size_t kBindingBytesMax = 128;
// Rows that a damaged file garbled are passed over, but not for ever.
constexpr int kGarbledMax = 8;
constexpr size_t kUsesMax = 256;
// A float dot product of a unit vector with itself may fall this short of 1.
constexpr double kRounding = 1e-6;
// Uses are counted below 2^53; a larger number in the file is not ours.
constexpr const char* kNextUse =
    "(SELECT coalesce(max(used), 0) + 1 FROM answers WHERE used < 9007199254740992)";

Error invalid(std::string what) {
  return Error{ErrorCode::InvalidArgument, std::move(what), "answer cache", ""};
}

Result<void> check_binding(const Binding& binding) {
  if (binding.hash.empty() || binding.hash.size() > kBindingBytesMax) {
    return invalid(fmt::format("a binding has 1 to {} bytes, not {}", kBindingBytesMax,
                               binding.hash.size()));
  }
  return {};
}

size_t entry_bytes(const CachedAnswer& entry, size_t dimensions) {
  return entry.question.size() + entry.answer.size() + entry.source.size() + entry.level.size() +
         dimensions * sizeof(float);
}

bool is_text(std::string_view text) { return !find_invalid_utf8(text); }

Error other_dimensions(size_t given, size_t known) {
  return invalid(fmt::format("the embedding has {} dimensions, those of its encoder {}", given,
                             known));
}

}  // namespace

AnswerCache::AnswerCache(Database& database, const Clock& clock, const AnswerCacheOptions& options)
    : database_(database), clock_(clock), options_(options) {}

AnswerCache::~AnswerCache() {
  if (uses_.empty()) return;
  auto transaction = Transaction::begin(database_);
  if (!transaction) return;
  write_uses();
  (void)transaction->commit();
}

Result<std::optional<CachedAnswer>> AnswerCache::find_exact(const Binding& binding,
                                                            std::string_view question) {
  if (auto checked = check_binding(binding); !checked) return checked.error();
  // Longer ones are never kept, and folding them would take time for nothing.
  if (question.size() > options_.entry_bytes_max) return std::optional<CachedAnswer>();
  auto row = database_.prepare(
      "SELECT id, question, answer, source, level, confidence, created_at, name FROM answers "
      "WHERE binding = ? AND question_key = ?");
  if (!row) return row.error();
  const std::string key = question_hash(question);
  auto found = row->bind(std::string_view(binding.hash), std::string_view(key)).step();
  if (!found) return found.error();
  if (!*found) return std::optional<CachedAnswer>();
  const int64_t id = row->integer(0);
  std::optional<CachedAnswer> entry = read_entry(*row, 1);
  row->reset();
  // A garbled key must not answer another question.
  if (entry && question_hash(entry->question) != key) entry.reset();
  if (entry && is_expired(entry->created_at)) entry.reset();
  entry ? note_use(id) : drop(id);
  return entry;
}

Result<std::optional<CacheHit>> AnswerCache::find_similar(const Binding& binding,
                                                          std::span<const float> embedding,
                                                          double similarity_min) {
  if (auto checked = check_binding(binding); !checked) return checked.error();
  if (!(similarity_min >= -1 && similarity_min <= 1)) {
    return invalid(fmt::format("a least similarity lies in [-1, 1]: {}", similarity_min));
  }
  const auto unit = unit_vector(embedding);
  if (!unit) return invalid("the embedding is empty, zero or not finite");
  auto matrix = matrix_of(binding);
  if (!matrix) return matrix.error();
  EmbeddingMatrix& rows = (*matrix)->rows;
  for (int garbled = 0; rows.rows() > 0 && garbled <= kGarbledMax; ++garbled) {
    if (unit->size() != rows.dimensions()) {
      return other_dimensions(unit->size(), rows.dimensions());
    }
    const auto match = rows.nearest(*unit);
    if (!match || match->cosine + kRounding < similarity_min) break;
    auto entry = fetch(match->id, binding);
    if (!entry) return entry.error();
    if (*entry && is_expired((*entry)->created_at)) {
      // All of them at once: each by itself would take a pass over the matrix.
      if (auto done = remove_expired(); !done) return done.error();
      if (auto done = bring_in_step(binding, rows); !done) return done.error();
      continue;
    }
    if (*entry) {
      note_use(match->id);
      return std::optional<CacheHit>(CacheHit{std::move(**entry), match->cosine});
    }
    // Garbled, or another process took it away since the matrix was brought in step.
    drop(match->id);
    std::vector<int64_t> others(rows.ids().begin(), rows.ids().end());
    others.erase(std::find(others.begin(), others.end(), match->id));
    rows.retain(others);
  }
  return std::optional<CacheHit>();
}

Result<void> AnswerCache::put(const Binding& binding, const CachedAnswer& entry,
                              std::span<const float> embedding) {
  if (auto checked = check_binding(binding); !checked) return checked;
  if (auto checked = check_entry(entry); !checked) return checked;
  std::optional<std::vector<float>> unit = std::vector<float>();
  if (!embedding.empty()) unit = unit_vector(embedding);
  if (!unit) return invalid("the embedding is zero or not finite");

  const std::string key = question_hash(entry.question);
  const std::string name = name_of(binding, entry.question);
  auto transaction = Transaction::begin(database_);
  if (!transaction) return transaction.error();
  auto rejected = is_rejected(name, rejected_pair(binding.user, key, entry.answer));
  if (!rejected) return rejected.error();
  if (*rejected) return {};
  if (auto checked = check_dimensions(binding.encoder, unit->size()); !checked) return checked;
  write_uses();
  auto old = database_.prepare("DELETE FROM answers WHERE binding = ? AND question_key = ?");
  if (!old) return old.error();
  auto removed = old->bind(std::string_view(binding.hash), std::string_view(key)).run();
  if (!removed) return removed;
  auto insert = database_.prepare(fmt::format(
      "INSERT INTO answers (binding, question_key, name, used, bytes, created_at, confidence, "
      "user, project, state, sampling, question, answer, source, level) "
      "VALUES (?, ?, ?, {}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
      kNextUse));
  if (!insert) return insert.error();
  insert->bind(std::string_view(binding.hash), std::string_view(key), std::string_view(name),
               static_cast<int64_t>(entry_bytes(entry, unit->size())), clock_.wall_seconds(),
               entry.confidence, std::string_view(binding.user),
               std::string_view(binding.project), std::string_view(binding.state),
               std::string_view(binding.sampling), std::string_view(entry.question),
               std::string_view(entry.answer), std::string_view(entry.source),
               std::string_view(entry.level));
  auto inserted = insert->step();
  if (!inserted) return inserted.error();
  const int64_t id = insert->integer(0);
  if (auto finished = insert->run(); !finished) return finished;
  // Without one it is not known whether it was too long or nobody looked: `cache update` finds out.
  if (!unit->empty()) {
    if (auto done = note_encoder(binding.encoder); !done) return done;
    if (auto done = keep_vector(id, binding.encoder.id, *unit); !done) return done;
  }
  if (auto done = remove_expired(); !done) return done;
  if (auto done = remove_surplus(); !done) return done;
  if (auto done = transaction->commit(); !done) return done;
  look_anew();
  return {};
}

std::optional<CachedAnswer> AnswerCache::read_entry(Statement& row, int first_column) const {
  CachedAnswer entry;
  entry.question = row.text(first_column);
  entry.answer = row.text(first_column + 1);
  entry.source = row.text(first_column + 2);
  entry.level = row.text(first_column + 3);
  entry.confidence = row.real(first_column + 4);
  entry.created_at = row.real(first_column + 5);
  entry.name = row.text(first_column + 6);
  if (!check_entry(entry) || !std::isfinite(entry.created_at)) return std::nullopt;
  return entry;
}

Result<void> AnswerCache::check_entry(const CachedAnswer& entry) const {
  if (entry.question.empty() || entry.answer.empty()) {
    return invalid("a question or answer is empty");
  }
  const size_t bytes = entry_bytes(entry, 0);
  const uint64_t most = std::min<uint64_t>(options_.entry_bytes_max, options_.bytes_max);
  if (bytes > most) {
    return Error{ErrorCode::OverBudget,
                 fmt::format("an entry of {} bytes is larger than {}", bytes, most),
                 "answer cache", "this answer is not kept"};
  }
  if (!is_text(entry.question) || !is_text(entry.answer) || !is_text(entry.source) ||
      !is_text(entry.level)) {
    return invalid("an entry's text is not UTF-8");
  }
  if (!(entry.confidence >= 0 && entry.confidence <= 1)) {
    return invalid(fmt::format("a confidence lies in [0, 1]: {}", entry.confidence));
  }
  return {};
}

Result<std::optional<CachedAnswer>> AnswerCache::fetch(int64_t id, const Binding& binding) {
  auto row = database_.prepare(
      "SELECT question, answer, source, level, confidence, created_at, name FROM answers "
      "WHERE id = ? AND binding = ?");
  if (!row) return row.error();
  auto found = row->bind(id, std::string_view(binding.hash)).step();
  if (!found) return found.error();
  if (!*found) return std::optional<CachedAnswer>();
  return read_entry(*row, 0);
}

// A write waits for the disk, a hit should not: uses are written with the next entry or at the end.
void AnswerCache::note_use(int64_t id) {
  uses_.push_back(id);
  if (uses_.size() >= kUsesMax) write_uses();
}

// Where this fails (locked, full disk), only the order of eviction suffers.
void AnswerCache::write_uses() {
  auto update =
      database_.prepare(fmt::format("UPDATE answers SET used = {} WHERE id = ?", kNextUse));
  for (int64_t id : uses_) {
    if (!update || !update->bind(id).run()) break;
  }
  uses_.clear();
}

void AnswerCache::drop(int64_t id) {
  auto erase = database_.prepare("DELETE FROM answers WHERE id = ?");
  if (erase) (void)erase->bind(id).run();
}

}  // namespace tinyarms::storage
