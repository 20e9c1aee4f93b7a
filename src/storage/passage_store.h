// Indexed files, their passages, and a full-text index over the words of the passages (SQLite
// FTS5, BM25 with Porter stems). What is a word, and what a passage, the caller decides.
//
// One thread at a time; any number of processes read while one writes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "storage/database.h"

namespace tinyarms::storage {

struct PassageRow {
  int64_t id = 0;
  uint32_t first_line = 0;
  uint32_t last_line = 0;
  std::string kind;
  std::string symbol;
  std::string body;
  std::string path;      // of its file, absolute
  std::string language;  // of its file
};

struct FileRow {
  int64_t id = 0;
  std::string path = {};
  std::string stamp = {};  // what tells cheaply that a file is as it was
  std::string sha256 = {};
  std::string language = {};
};

// A passage on its way in. The three texts are words, separated by blanks.
struct NewPassage {
  uint32_t first_line = 0;
  uint32_t last_line = 0;
  std::string kind;
  std::string symbol;
  std::string body;
  std::string symbol_words;
  std::string path_words;
  std::string body_words;
};

struct WordWeights {
  double symbol = 1;
  double path = 1;
  double body = 1;
};

struct WordMatch {
  int64_t id = 0;
  double bm25 = 0;  // larger is better
};

class PassageStore {
 public:
  // Errors: those of Database::open. `notice` of what was set aside.
  struct Opened;
  static Result<Opened> open(const std::filesystem::path& path, const Clock& clock);

  // All calls: the errors of Database.
  Result<std::string> fact(std::string_view name);  // empty where it is not known
  Result<void> set_fact(std::string_view name, std::string_view value);

  Result<std::optional<FileRow>> file(std::string_view path);
  // Those at `folder` or below it; all where it is empty. By path.
  Result<std::vector<FileRow>> files_under(std::string_view folder);

  // In one transaction: each file's old passages go, the new ones come. Returns the ids given, file
  // by file.
  struct FileUpdate {
    FileRow file = {};  // its id is ignored
    std::vector<NewPassage> passages = {};
  };
  Result<std::vector<int64_t>> replace(std::span<const FileUpdate> updates);
  Result<void> restamp(std::string_view path, std::string_view stamp);
  // Returns how many there were, in one transaction.
  Result<size_t> remove_files(std::span<const std::string> paths);
  Result<void> clear();

  Result<std::vector<int64_t>> passage_ids();  // ascending
  Result<std::vector<std::pair<int64_t, int64_t>>> passage_files();  // passage, file; ascending
  // In the order asked for; those that are not there are left out.
  Result<std::vector<PassageRow>> passages(std::span<const int64_t> ids);
  Result<std::vector<PassageRow>> passages_of_symbol(std::string_view symbol, size_t count);

  // `words`: any of them, separated by blanks, no query syntax. Best first. `count` 0: all.
  struct WordQuery {
    std::string words = {};
    WordWeights weights = {};
    size_t count = 0;
  };
  Result<std::vector<WordMatch>> find_words(const WordQuery& query);

  struct Totals {
    uint64_t files = 0;
    uint64_t passages = 0;
  };
  Result<Totals> totals(std::string_view folder);

 private:
  explicit PassageStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  Result<void> remove_one(std::string_view path, bool& was_there);
  Result<void> add_one(const FileUpdate& update, std::vector<int64_t>& ids);

  std::unique_ptr<Database> database_;
};

struct PassageStore::Opened {
  std::unique_ptr<PassageStore> store;
  std::string notice;
};

}  // namespace tinyarms::storage
