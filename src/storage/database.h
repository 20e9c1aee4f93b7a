// The one SQLite file in which tinyArms remembers: opened so that a bad file never stops an
// answer. What cannot be used is set aside under a name that `notice` tells, and a fresh database
// takes its place; nothing is ever destroyed.
//
// Any number of processes may hold the file (WAL, busy timeout). Within a process: one thread at a
// time, and everything made from a Database is used on that thread and dies before it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "storage/file_guard.h"
#include "storage/schema.h"
#include "storage/statement.h"

struct sqlite3;

namespace tinyarms::storage {

class Database;

struct DatabaseOptions {
  Schema schema = cache_schema();
  std::chrono::milliseconds busy_timeout{5000};
  // SQLite pages of 4 KiB; beyond it a write is refused as on a full disk. 0: no limit.
  int64_t pages_max = 0;
};

struct OpenedDatabase {
  std::unique_ptr<Database> database;
  std::string notice;  // what was set aside, where and why, for the user; else empty
};

class Database {
 public:
  // Creates missing parent folders and the file (mode 0600), checks it, brings the schema up to
  // date. Set aside with its -wal and -shm, as `<path>.<kind>-<UTC time>`, is what is `corrupt`
  // (random bytes, a truncated file, a text), `foreign` (another program's database, or ours with
  // other tables) or `newer` (a schema version that this build does not know).
  // Errors: Io (folder or disk not writable, disk full, a folder or device at that path),
  // Unavailable (locked for longer than the busy timeout). The caller goes on without a cache.
  static Result<OpenedDatabase> open(const std::filesystem::path& path, const Clock& clock,
                                     const DatabaseOptions& options = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // With symbolic links resolved.
  const std::filesystem::path& path() const { return path_; }

  // Errors of every call below: Io, Unavailable (busy), Corrupt. On the first Corrupt the file is
  // set aside at once, so that the next open starts afresh; the error's hint names the place.
  Result<Statement> prepare(std::string_view sql);
  Result<void> execute(const std::string& sql);  // any number of statements, no rows wanted
  int64_t changes() const;                       // rows that the last statement changed
  // Differs from the last value after another connection's commit, never after one's own.
  Result<int64_t> data_version();

 private:
  friend class Statement;
  friend class Transaction;
  enum class Verdict { Usable, Corrupt, Foreign, Newer };
  struct Opening {  // how one attempt to open went
    Verdict verdict = Verdict::Usable;
    std::string reason;
    std::unique_ptr<Database> database;
  };

  static const char* kind_name(Verdict verdict);

  Database(std::filesystem::path path, sqlite3* handle, const Clock& clock);
  static Result<Opening> try_open(const std::filesystem::path& path, const Clock& clock,
                                  const DatabaseOptions& options);
  Result<void> configure(const DatabaseOptions& options);
  Result<void> check_owner(Opening& opening, const Schema& schema);
  Result<void> check_pages();
  Result<void> migrate(Opening& opening, const Schema& schema);
  Result<std::string> schema_text();
  Result<int64_t> pragma_integer(const std::string& name);
  Error error_of(int sqlite_code);
  std::string retire_file();

  std::filesystem::path path_;
  sqlite3* handle_;
  const Clock& clock_;
  std::optional<FileIdentity> identity_;  // known once opened: a corrupt file is then retired
};

// Rolled back unless committed. Takes the write lock at the start (BEGIN IMMEDIATE): a lock taken
// half-way cannot be waited for.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  ~Transaction();
  Transaction(Transaction&& other) noexcept;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;

  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  Database* database_;  // null once it ended
};

}  // namespace tinyarms::storage
