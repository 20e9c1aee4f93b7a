#include "storage/passage_store.h"

#include <fmt/format.h>

namespace tinyarms::storage {
namespace {

PassageRow row_of(const Statement& found) {
  return {.id = found.integer(0),
          .first_line = static_cast<uint32_t>(found.integer(1)),
          .last_line = static_cast<uint32_t>(found.integer(2)),
          .kind = std::string(found.text(3)),
          .symbol = std::string(found.text(4)),
          .body = std::string(found.text(5)),
          .path = std::string(found.text(6)),
          .language = std::string(found.text(7))};
}

FileRow file_of(const Statement& found) {
  return {.id = found.integer(0),
          .path = std::string(found.text(1)),
          .stamp = std::string(found.text(2)),
          .sha256 = std::string(found.text(3)),
          .language = std::string(found.text(4))};
}

constexpr std::string_view kPassageColumns =
    "SELECT p.id, p.first_line, p.last_line, p.kind, p.symbol, p.body, f.path, f.language "
    "FROM passages p JOIN files f ON f.id = p.file ";

// Each word quoted, so that none is taken for an operator.
std::string match_expression(std::string_view words) {
  std::string expression;
  size_t at = 0;
  while (at < words.size()) {
    const size_t end = std::min(words.find(' ', at), words.size());
    const std::string_view word = words.substr(at, end - at);
    at = end + 1;
    if (word.empty() || word.find('"') != std::string_view::npos) continue;
    expression += fmt::format("{}\"{}\"", expression.empty() ? "" : " OR ", word);
  }
  return expression;
}

// Paths below a folder are those from "folder/" to before "folder0" ('0' follows '/').
struct PathRange {
  std::string self;
  std::string from;
  std::string to;
};

PathRange range_of(std::string_view folder) {
  std::string base(folder);
  while (!base.empty() && base.back() == '/') base.pop_back();
  return {base, base + "/", base + "0"};
}

}  // namespace

Result<PassageStore::Opened> PassageStore::open(const std::filesystem::path& path,
                                                const Clock& clock) {
  auto opened = Database::open(path, clock, {.schema = passage_schema()});
  if (!opened) return opened.error();
  // Vectors are kept elsewhere, by id: a power cut must not give an id a second time.
  if (auto set = opened->database->execute("PRAGMA synchronous = FULL"); !set) return set.error();
  std::unique_ptr<PassageStore> store(new PassageStore(std::move(opened->database)));
  return Opened{.store = std::move(store), .notice = std::move(opened->notice)};
}

Result<std::string> PassageStore::fact(std::string_view name) {
  auto statement = database_->prepare("SELECT value FROM facts WHERE name = ?");
  if (!statement) return statement.error();
  auto row = statement->bind(name).step();
  if (!row) return row.error();
  return *row ? std::string(statement->text(0)) : std::string();
}

Result<void> PassageStore::set_fact(std::string_view name, std::string_view value) {
  auto statement = database_->prepare("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)");
  if (!statement) return statement.error();
  return statement->bind(name, value).run();
}

Result<std::optional<FileRow>> PassageStore::file(std::string_view path) {
  auto statement =
      database_->prepare("SELECT id, path, stamp, sha256, language FROM files WHERE path = ?");
  if (!statement) return statement.error();
  auto row = statement->bind(path).step();
  if (!row) return row.error();
  return *row ? std::optional(file_of(*statement)) : std::nullopt;
}

Result<std::vector<FileRow>> PassageStore::files_under(std::string_view folder) {
  auto statement = database_->prepare(
      "SELECT id, path, stamp, sha256, language FROM files "
      "WHERE path = ?1 OR (path >= ?2 AND path < ?3) ORDER BY path");
  if (!statement) return statement.error();
  const PathRange range = range_of(folder);
  statement->bind(std::string_view(range.self), std::string_view(range.from),
                  std::string_view(range.to));
  std::vector<FileRow> files;
  while (true) {
    auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return files;
    files.push_back(file_of(*statement));
  }
}

Result<void> PassageStore::remove_one(std::string_view path, bool& was_there) {
  auto known = file(path);
  if (!known) return known.error();
  was_there = known->has_value();
  if (!was_there) return {};
  for (const char* sql :
       {"DELETE FROM words WHERE rowid IN (SELECT id FROM passages WHERE file = ?)",
        "DELETE FROM passages WHERE file = ?", "DELETE FROM files WHERE id = ?"}) {
    auto statement = database_->prepare(sql);
    if (!statement) return statement.error();
    if (auto done = statement->bind((*known)->id).run(); !done) return done;
  }
  return {};
}

Result<void> PassageStore::add_one(const FileUpdate& update, std::vector<int64_t>& ids) {
  auto add_file = database_->prepare(
      "INSERT INTO files (path, stamp, sha256, language) VALUES (?, ?, ?, ?) RETURNING id");
  if (!add_file) return add_file.error();
  add_file->bind(std::string_view(update.file.path), std::string_view(update.file.stamp),
                 std::string_view(update.file.sha256), std::string_view(update.file.language));
  auto added = add_file->step();
  if (!added) return added.error();
  const int64_t file_id = add_file->integer(0);
  add_file->reset();
  auto add_passage = database_->prepare(
      "INSERT INTO passages (file, first_line, last_line, kind, symbol, body) "
      "VALUES (?, ?, ?, ?, ?, ?) RETURNING id");
  if (!add_passage) return add_passage.error();
  auto add_words =
      database_->prepare("INSERT INTO words (rowid, symbol, path, body) VALUES (?, ?, ?, ?)");
  if (!add_words) return add_words.error();
  for (const NewPassage& passage : update.passages) {
    add_passage->bind(file_id, int64_t{passage.first_line}, int64_t{passage.last_line},
                      std::string_view(passage.kind), std::string_view(passage.symbol),
                      std::string_view(passage.body));
    auto row = add_passage->step();
    if (!row) return row.error();
    const int64_t id = add_passage->integer(0);
    add_passage->reset();
    add_words->bind(id, std::string_view(passage.symbol_words),
                    std::string_view(passage.path_words), std::string_view(passage.body_words));
    if (auto done = add_words->run(); !done) return done;
    ids.push_back(id);
  }
  return {};
}

Result<std::vector<int64_t>> PassageStore::replace(std::span<const FileUpdate> updates) {
  auto transaction = Transaction::begin(*database_);
  if (!transaction) return transaction.error();
  std::vector<int64_t> ids;
  for (const FileUpdate& update : updates) {
    bool was_there = false;
    if (auto gone = remove_one(update.file.path, was_there); !gone) return gone.error();
    if (auto added = add_one(update, ids); !added) return added.error();
  }
  if (auto committed = transaction->commit(); !committed) return committed.error();
  return ids;
}

Result<void> PassageStore::restamp(std::string_view path, std::string_view stamp) {
  auto statement = database_->prepare("UPDATE files SET stamp = ? WHERE path = ?");
  if (!statement) return statement.error();
  return statement->bind(stamp, path).run();
}

Result<size_t> PassageStore::remove_files(std::span<const std::string> paths) {
  auto transaction = Transaction::begin(*database_);
  if (!transaction) return transaction.error();
  size_t removed = 0;
  for (const std::string& path : paths) {
    bool was_there = false;
    if (auto gone = remove_one(path, was_there); !gone) return gone.error();
    removed += was_there ? 1 : 0;
  }
  if (auto committed = transaction->commit(); !committed) return committed.error();
  return removed;
}

Result<void> PassageStore::clear() {
  auto transaction = Transaction::begin(*database_);
  if (!transaction) return transaction.error();
  auto done = database_->execute(
      "INSERT INTO words (words) VALUES ('delete-all');"
      "DELETE FROM passages; DELETE FROM files; DELETE FROM facts;");
  if (!done) return done;
  return transaction->commit();
}

Result<std::vector<int64_t>> PassageStore::passage_ids() {
  auto statement = database_->prepare("SELECT id FROM passages ORDER BY id");
  if (!statement) return statement.error();
  std::vector<int64_t> ids;
  while (true) {
    auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return ids;
    ids.push_back(statement->integer(0));
  }
}

Result<std::vector<std::pair<int64_t, int64_t>>> PassageStore::passage_files() {
  auto statement = database_->prepare("SELECT id, file FROM passages ORDER BY id");
  if (!statement) return statement.error();
  std::vector<std::pair<int64_t, int64_t>> rows;
  while (true) {
    auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return rows;
    rows.emplace_back(statement->integer(0), statement->integer(1));
  }
}

Result<std::vector<PassageRow>> PassageStore::passages(std::span<const int64_t> ids) {
  auto statement = database_->prepare(fmt::format("{} WHERE p.id = ?", kPassageColumns));
  if (!statement) return statement.error();
  std::vector<PassageRow> rows;
  for (const int64_t id : ids) {
    auto row = statement->bind(id).step();
    if (!row) return row.error();
    if (*row) rows.push_back(row_of(*statement));
  }
  return rows;
}

Result<std::vector<PassageRow>> PassageStore::passages_of_symbol(std::string_view symbol,
                                                                 size_t count) {
  auto statement = database_->prepare(
      fmt::format("{} WHERE p.symbol = ? ORDER BY p.id LIMIT ?", kPassageColumns));
  if (!statement) return statement.error();
  statement->bind(symbol, static_cast<int64_t>(count));
  std::vector<PassageRow> rows;
  while (true) {
    auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return rows;
    rows.push_back(row_of(*statement));
  }
}

Result<std::vector<WordMatch>> PassageStore::find_words(const WordQuery& query) {
  const std::string expression = match_expression(query.words);
  std::vector<WordMatch> matches;
  if (expression.empty()) return matches;
  auto statement = database_->prepare(
      "SELECT rowid, bm25(words, ?2, ?3, ?4) AS badness FROM words WHERE words MATCH ?1 "
      "ORDER BY badness, rowid LIMIT ?5");
  if (!statement) return statement.error();
  const int64_t limit = query.count > 0 ? static_cast<int64_t>(query.count) : -1;
  statement->bind(std::string_view(expression), query.weights.symbol, query.weights.path,
                  query.weights.body, limit);
  while (true) {
    auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return matches;
    matches.push_back({statement->integer(0), -statement->real(1)});
  }
}

Result<PassageStore::Totals> PassageStore::totals(std::string_view folder) {
  auto statement = database_->prepare(
      "SELECT count(DISTINCT f.id), count(p.id) FROM files f LEFT JOIN passages p ON p.file = f.id "
      "WHERE f.path = ?1 OR (f.path >= ?2 AND f.path < ?3)");
  if (!statement) return statement.error();
  const PathRange range = range_of(folder);
  auto row = statement
                 ->bind(std::string_view(range.self), std::string_view(range.from),
                        std::string_view(range.to))
                 .step();
  if (!row) return row.error();
  return Totals{static_cast<uint64_t>(statement->integer(0)),
                static_cast<uint64_t>(statement->integer(1))};
}

}  // namespace tinyarms::storage
