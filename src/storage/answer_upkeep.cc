// What keeps the answer cache small, young and free of rejected answers, and what lists it.
#include <fmt/format.h>

#include "base/sha256.h"
#include "storage/answer_cache.h"
#include "storage/answer_key.h"
#include "storage/question_key.h"

namespace tinyarms::storage {
namespace {

constexpr size_t kNameDigits = 16;
constexpr size_t kWordMin = 4;

}  // namespace

std::string question_hash(std::string_view question) {
  return sha256_hex(normalise_question(question));
}

std::string rejected_pair(std::string_view user, std::string_view question_key,
                          std::string_view answer) {
  return sha256_hex(fmt::format("{}:{}{}:{}{}", user.size(), user, question_key.size(),
                                question_key, answer));
}

std::string AnswerCache::name_of(const Binding& binding, std::string_view question) {
  return sha256_hex(binding.hash + " " + question_hash(question)).substr(0, kNameDigits);
}

bool AnswerCache::is_expired(double created_at) const {
  // Written as remove_expired() has it: what one calls expired the other must remove.
  return options_.seconds_max > 0 && created_at < clock_.wall_seconds() - options_.seconds_max;
}

Result<void> AnswerCache::remove_expired() {
  if (options_.seconds_max <= 0) return {};
  auto old = database_.prepare("DELETE FROM answers WHERE created_at < ?");
  if (!old) return old.error();
  if (auto done = old->bind(clock_.wall_seconds() - options_.seconds_max).run(); !done) return done;
  if (database_.changes() > 0) look_anew();
  return {};
}

// What this connection writes does not change data_version().
void AnswerCache::look_anew() {
  for (auto& [hash, matrix] : matrices_) matrix.in_step = false;
}

// The last one put was used last, so it stays.
Result<void> AnswerCache::remove_surplus() {
  const auto entries_max = static_cast<int64_t>(options_.entries_max);
  const auto bytes_max = static_cast<double>(options_.bytes_max);
  auto sums = database_.prepare("SELECT count(*), total(bytes) FROM answers");
  if (!sums) return sums.error();
  if (auto row = sums->step(); !row) return row.error();
  if (sums->integer(0) <= entries_max && sums->real(1) <= bytes_max) return {};
  sums->reset();
  auto evict = database_.prepare(
      "DELETE FROM answers WHERE id IN (SELECT id FROM ("
      "SELECT id, row_number() OVER newest AS place, total(bytes) OVER newest AS bytes_so_far "
      "FROM answers WINDOW newest AS (ORDER BY used DESC, id DESC)) "
      "WHERE place > ? OR bytes_so_far > ?)");
  if (!evict) return evict.error();
  return evict->bind(entries_max, bytes_max).run();
}

Result<bool> AnswerCache::is_rejected(const std::string& name, const std::string& pair) {
  auto row = database_.prepare("SELECT 1 FROM rejections WHERE rejected IN (?, ?) LIMIT 1");
  if (!row) return row.error();
  return row->bind(std::string_view(name), std::string_view(pair)).step();
}

Result<void> AnswerCache::note_rejection(const std::string& what) {
  auto note = database_.prepare("INSERT OR IGNORE INTO rejections (rejected, at) VALUES (?, ?)");
  if (!note) return note.error();
  return note->bind(std::string_view(what), clock_.wall_seconds()).run();
}

Result<bool> AnswerCache::reject(const std::string& name) {
  auto transaction = Transaction::begin(database_);
  if (!transaction) return transaction.error();
  if (auto done = note_rejection(name); !done) return done.error();
  struct Same {
    std::string user, question_key, answer;
  };
  std::vector<Same> rejected;
  {
    auto rows = database_.prepare("SELECT user, question_key, answer FROM answers WHERE name = ?");
    if (!rows) return rows.error();
    rows->bind(std::string_view(name));
    while (true) {
      auto row = rows->step();
      if (!row) return row.error();
      if (!*row) break;
      rejected.push_back({std::string(rows->text(0)), std::string(rows->text(1)),
                          std::string(rows->text(2))});
    }
  }
  for (const Same& one : rejected) {
    const std::string pair = rejected_pair(one.user, one.question_key, one.answer);
    if (auto done = note_rejection(pair); !done) return done.error();
    auto erase = database_.prepare(
        "DELETE FROM answers WHERE name = ? OR (user = ? AND question_key = ? AND answer = ?)");
    if (!erase) return erase.error();
    auto done = erase->bind(std::string_view(name), std::string_view(one.user),
                            std::string_view(one.question_key), std::string_view(one.answer))
                    .run();
    if (!done) return done.error();
  }
  if (auto done = transaction->commit(); !done) return done.error();
  look_anew();
  return !rejected.empty();
}

Result<void> AnswerCache::each(const std::function<Result<void>(const CacheEntry&)>& sink) {
  auto rows = database_.prepare(
      "SELECT question, answer, source, level, confidence, created_at, name, binding, user, "
      "project, state, sampling, bytes FROM answers ORDER BY id");
  if (!rows) return rows.error();
  while (true) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return {};
    std::optional<CachedAnswer> answer = read_entry(*rows, 0);
    if (!answer) continue;
    CacheEntry entry{.answer = std::move(*answer)};
    entry.binding = {.hash = std::string(rows->text(7)),
                     .user = std::string(rows->text(8)),
                     .project = std::string(rows->text(9)),
                     .state = std::string(rows->text(10)),
                     .sampling = std::string(rows->text(11))};
    entry.bytes = static_cast<uint64_t>(rows->integer(12));
    entry.expired = is_expired(entry.answer.created_at);
    if (auto done = sink(entry); !done) return done;
  }
}

Result<std::string> AnswerCache::resolve(std::string_view word) {
  if (word.size() < kWordMin) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("at least {} digits of an entry's name are needed", kWordMin),
                 std::string(word), "tinyarms cache list"};
  }
  auto rows = database_.prepare(
      "SELECT DISTINCT name FROM answers WHERE substr(name, 1, length(?)) = ? LIMIT 2");
  if (!rows) return rows.error();
  rows->bind(word, word);
  auto row = rows->step();
  if (!row) return row.error();
  if (!*row) {
    return Error{ErrorCode::NotFound, "no remembered answer has that name", std::string(word),
                 "tinyarms cache list"};
  }
  std::string name(rows->text(0));
  row = rows->step();
  if (!row) return row.error();
  if (!*row) return name;
  return Error{ErrorCode::InvalidArgument, "begins more than one name", std::string(word),
               "give more of it"};
}

Result<bool> AnswerCache::remove(const std::string& name) {
  auto erase = database_.prepare("DELETE FROM answers WHERE name = ?");
  if (!erase) return erase.error();
  if (auto done = erase->bind(std::string_view(name)).run(); !done) return done.error();
  look_anew();
  return database_.changes() > 0;
}

Result<CacheStats> AnswerCache::stats() {
  auto row = database_.prepare(
      "SELECT (SELECT count(*) FROM answers), (SELECT count(DISTINCT binding) FROM answers), "
      "(SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()), "
      "(SELECT cast(total(bytes) AS INTEGER) FROM answers), "
      "(SELECT count(*) FROM answers WHERE created_at < ?), "
      "(SELECT count(*) FROM rejections)");
  if (!row) return row.error();
  const double oldest =
      options_.seconds_max > 0 ? clock_.wall_seconds() - options_.seconds_max : -1e300;
  auto found = row->bind(oldest).step();
  if (!found) return found.error();
  return CacheStats{.entries = static_cast<size_t>(row->integer(0)),
                    .bindings = static_cast<size_t>(row->integer(1)),
                    .bytes = static_cast<uint64_t>(row->integer(2)),
                    .answer_bytes = static_cast<uint64_t>(row->integer(3)),
                    .expired = static_cast<size_t>(row->integer(4)),
                    .rejected = static_cast<size_t>(row->integer(5))};
}

Result<size_t> AnswerCache::clear() {
  auto erase = database_.prepare("DELETE FROM answers");
  if (!erase) return erase.error();
  if (auto done = erase->run(); !done) return done.error();
  const auto count = static_cast<size_t>(database_.changes());
  matrices_.clear();
  // Gives the space back and leaves no old text in free pages. Another process in mid-read may
  // prevent it; the entries are gone all the same.
  if (database_.execute("VACUUM")) (void)database_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  return count;
}

}  // namespace tinyarms::storage
