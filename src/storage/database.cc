#include "storage/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

#include "storage/schema.h"

namespace tinyarms::storage {
namespace {

namespace fs = std::filesystem;

// Checking every page of a larger file would cost more than a cache saves at start; damage there
// shows when the page is read, and retires the file then.
constexpr int64_t kPagesCheckedMax = 512;

ErrorCode code_of(int sqlite_code) {
  // The file was renamed under us: the next opening finds another one.
  if (sqlite_code == SQLITE_READONLY_DBMOVED) return ErrorCode::Unavailable;
  switch (sqlite_code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorCode::Unavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ErrorCode::Corrupt;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_NOLFS:
    case SQLITE_PROTOCOL:
    case SQLITE_READONLY: return ErrorCode::Io;
    default: return ErrorCode::Internal;
  }
}

const char* hint_of(int sqlite_code) {
  switch (code_of(sqlite_code)) {
    case ErrorCode::Unavailable: return "try again when the other process is done";
    case ErrorCode::Io:
      return (sqlite_code & 0xFF) == SQLITE_FULL
                 ? "free some disk space, or name another cache folder"
                 : "make the folder writable and check the disk, or name another cache folder";
    default: return "";
  }
}

// SQLite keeps the -wal beside what a link points to. The standard library follows links only to
// files that exist, so a dangling one is followed here.
fs::path resolve_links(const fs::path& path) {
  constexpr int kLinksMax = 16;
  std::error_code problem;
  fs::path resolved = fs::weakly_canonical(path, problem);
  if (problem || resolved.empty()) return path;
  for (int links = 0; links < kLinksMax && fs::is_symlink(resolved, problem); ++links) {
    const fs::path target = fs::read_symlink(resolved, problem);
    if (problem) return path;
    resolved = (resolved.parent_path() / target).lexically_normal();
  }
  return resolved;
}

}  // namespace

const char* Database::kind_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::Usable: break;
    case Verdict::Corrupt: return "corrupt";
    case Verdict::Foreign: return "foreign";
    case Verdict::Newer: return "newer";
  }
  return "usable";
}

Database::Database(fs::path path, sqlite3* handle, const Clock& clock)
    : path_(std::move(path)), handle_(handle), clock_(clock) {}

Database::~Database() { sqlite3_close(handle_); }

Result<OpenedDatabase> Database::open(const fs::path& path, const Clock& clock,
                                      const DatabaseOptions& options) {
  const fs::path resolved = resolve_links(path);
  if (auto provided = provide_file(resolved); !provided) return provided.error();
  auto lock = OpeningLock::take(resolved, options.busy_timeout);
  if (!lock) return lock.error();

  OpenedDatabase opened;
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (auto provided = provide_file(resolved); !provided) return provided.error();
    Result<Opening> opening = try_open(resolved, clock, options);
    if (!opening) return opening.error();
    if (opening->verdict == Verdict::Usable) {
      opened.database = std::move(opening->database);
      return opened;
    }
    // The evidence stays as it is: no checkpoint when the bad file is closed.
    if (opening->database) {
      sqlite3_db_config(opening->database->handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
      opening->database.reset();
    }
    Result<fs::path> aside =
        set_aside(resolved, kind_name(opening->verdict), clock.wall_seconds());
    if (!aside) return aside.error();
    opened.notice = fmt::format("the database {} could not be used ({}): it was set aside "
                                "as {}, and a fresh one was made",
                                resolved.string(), opening->reason, aside->string());
  }
  return Error{ErrorCode::Internal, "a fresh database is not usable either",
               resolved.string(), "name another folder"};
}

Result<Database::Opening> Database::try_open(const fs::path& path, const Clock& clock,
                                             const DatabaseOptions& options) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  Opening opening;
  opening.database.reset(new Database(path, handle, clock));
  Database& database = *opening.database;
  if (code != SQLITE_OK) return database.error_of(code);
  sqlite3_busy_timeout(handle, static_cast<int>(options.busy_timeout.count()));

  Result<void> outcome = database.check_owner(opening, options.schema);
  if (outcome && opening.verdict == Verdict::Usable) outcome = database.configure(options);
  if (outcome && opening.verdict == Verdict::Usable) {
    outcome = database.migrate(opening, options.schema);
  }
  if (outcome && opening.verdict == Verdict::Usable) outcome = database.check_pages();
  if (!outcome && outcome.error().code == ErrorCode::Corrupt) {
    opening.verdict = Verdict::Corrupt;
    opening.reason = outcome.error().what;
  } else if (!outcome) {
    return outcome.error();
  }
  if (opening.verdict == Verdict::Usable) database.identity_ = identify(path);
  return opening;
}

// Reads only: another program's file is not changed before it is recognised as such.
Result<void> Database::check_owner(Opening& opening, const Schema& schema) {
  auto application = pragma_integer("application_id");
  if (!application) return application.error();
  auto version = pragma_integer("user_version");
  if (!version) return version.error();
  auto tables = schema_text();
  if (!tables) return tables.error();
  const bool fresh = *application == 0 && *version == 0 && tables->empty();
  const auto known = static_cast<int64_t>(schema.migrations.size());
  if (!fresh && *application != schema.application_id) {
    opening.verdict = Verdict::Foreign;
    opening.reason = "it belongs to another program";
  } else if (*version > known) {
    opening.verdict = Verdict::Newer;
    opening.reason = fmt::format("its schema version {} is newer than {}, the last that this "
                                 "build knows",
                                 *version, known);
  } else if (*version < 0) {
    opening.verdict = Verdict::Corrupt;
    opening.reason = "its schema version is negative";
  }
  return {};
}

Result<void> Database::configure(const DatabaseOptions& options) {
  if (sqlite3_db_readonly(handle_, "main") == 1) return error_of(SQLITE_READONLY);
  // A hostile file must not run SQL of its own, nor damage pass unseen.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // NORMAL: a power cut may cost the last answers, never the file's integrity.
  return execute(fmt::format("PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;"
                             "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                             "PRAGMA journal_size_limit = 4194304; PRAGMA max_page_count = {};",
                             options.pages_max > 0 ? options.pages_max : 0x7FFFFFFE));
}

Result<void> Database::check_pages() {
  auto pages = pragma_integer("page_count");
  if (!pages) return pages.error();
  if (*pages > kPagesCheckedMax) return {};
  // Table by table: of the whole file it would also compare a text index with its texts, word by
  // word, which takes most of a short command's time and finds what is no damage of pages.
  auto tables = prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0");
  if (!tables) return tables.error();
  while (true) {
    auto table = tables->step();
    if (!table) return table.error();
    if (!*table) return {};
    auto check = prepare(fmt::format("PRAGMA quick_check(\"{}\")", tables->text(0)));
    if (!check) return check.error();
    auto row = check->step();
    if (!row) return row.error();
    if (check->text(0) == "ok") continue;
    return Error{ErrorCode::Corrupt, std::string(check->text(0)), path_.string(), ""};
  }
}

Result<void> Database::migrate(Opening& opening, const Schema& schema) {
  auto before = pragma_integer("user_version");
  if (!before) return before.error();
  const auto steps = schema.migrations;
  if (*before < static_cast<int64_t>(steps.size())) {
    auto transaction = Transaction::begin(*this);
    if (!transaction) return transaction.error();
    for (size_t step = static_cast<size_t>(*before); step < steps.size(); ++step) {
      if (auto done = execute(steps[step]); !done) return done;
    }
    auto stamped = execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};",
                                       schema.application_id, steps.size()));
    if (!stamped) return stamped;
    if (auto committed = transaction->commit(); !committed) return committed;
    // Whoever looks at the file's head, as open_existing() does, finds the stamp there and not only
    // in the log beside it; where that does not work now, the next checkpoint brings it.
    sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  }

  // Our stamp on other tables, or a trigger among ours, is somebody else's file: compare with what
  // the migrations make from nothing.
  sqlite3* blank = nullptr;
  const int code = sqlite3_open_v2(":memory:", &blank,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database reference(":memory:", blank, clock_);
  if (code != SQLITE_OK) return reference.error_of(code);
  for (const char* step : steps) {
    if (auto done = reference.execute(step); !done) return done;
  }
  auto expected = reference.schema_text();
  if (!expected) return expected.error();
  auto found = schema_text();
  if (!found) return found.error();
  if (*found != *expected) {
    opening.verdict = Verdict::Foreign;
    opening.reason = "its tables are not those of this program";
  }
  return {};
}

Result<std::string> Database::schema_text() {
  auto rows = prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name");
  if (!rows) return rows.error();
  std::string text;
  while (true) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return text;
    for (int column = 0; column < 4; ++column) {
      text += rows->text(column);
      text += '\n';
    }
  }
}

Result<int64_t> Database::pragma_integer(const std::string& name) {
  auto statement = prepare("PRAGMA " + name);
  if (!statement) return statement.error();
  auto row = statement->step();
  if (!row) return row.error();
  return *row ? statement->integer(0) : 0;
}

Result<int64_t> Database::data_version() { return pragma_integer("data_version"); }

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) return error_of(code);
  return Statement(*this, statement);
}

Result<void> Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(code);
  return {};
}

int64_t Database::changes() const { return sqlite3_changes64(handle_); }

Error Database::error_of(int sqlite_code) {
  const char* words = handle_ != nullptr && sqlite3_errcode(handle_) == sqlite_code
                          ? sqlite3_errmsg(handle_)
                          : sqlite3_errstr(sqlite_code);
  Error error{code_of(sqlite_code), words, path_.string(), hint_of(sqlite_code)};
  if (error.code == ErrorCode::Corrupt) error.hint = retire_file();
  return error;
}

// While it is being opened, open() decides about the file; later, the connection that meets the
// damage does. What remains of this connection works on the renamed file and fails harmlessly.
std::string Database::retire_file() {
  if (!identity_) return {};
  auto lock = OpeningLock::take(path_, std::chrono::milliseconds{0});
  if (!lock || identify(path_) != identity_) return "another process is replacing it";
  Result<fs::path> aside = set_aside(path_, "corrupt", clock_.wall_seconds());
  if (!aside) return "delete it";
  identity_.reset();
  return fmt::format("it was set aside as {}; the next start makes a fresh one", aside->string());
}

Result<Transaction> Transaction::begin(Database& database) {
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun.error();
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // SQLite may have rolled back by itself (a full disk); that this then fails changes nothing.
  if (database_ != nullptr) (void)database_->execute("ROLLBACK");
}

Result<void> Transaction::commit() {
  if (auto done = database_->execute("COMMIT"); !done) return done;
  database_ = nullptr;
  return {};
}

}  // namespace tinyarms::storage
