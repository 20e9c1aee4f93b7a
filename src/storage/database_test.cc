#include "storage/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>

#include "storage/answer_cache.h"
#include "storage/schema.h"
#include "storage/test_folder.h"

namespace tinyarms::storage {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const Binding kBinding{"b"};

CachedAnswer entry_of(std::string question) {
  return {.question = std::move(question), .answer = "yes", .source = "m", .level = "l2",
          .confidence = 0.5};
}

// A database of ours with `count` entries, closed again.
void fill(const fs::path& path, int count, size_t answer_bytes = 10) {
  HandClock clock;
  auto opened = Database::open(path, clock);
  ASSERT_TRUE(opened) << opened.error().message();
  AnswerCache cache(*opened->database, clock);
  for (int i = 0; i < count; ++i) {
    CachedAnswer entry = entry_of("question " + std::to_string(i));
    entry.answer.assign(answer_bytes, 'a');
    ASSERT_TRUE(cache.put(kBinding, entry, std::vector<float>{1, static_cast<float>(i)}));
  }
}

void run_sql(const fs::path& path, const std::string& sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(handle);
  sqlite3_close(handle);
}

// Opens `path`, expects a notice with `word` and a file of `kind` set aside that holds `bytes`
// (where given), and a database that works.
void expect_set_aside(const TestFolder& folder, std::string_view kind, std::string_view word,
                      const std::string* bytes) {
  HandClock clock;
  const std::string aside = std::string("c.sqlite.") + std::string(kind) + "-20231114T221320Z";
  auto opened = Database::open(folder / "c.sqlite", clock);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_THAT(opened->notice, HasSubstr((folder / aside).string()));
  EXPECT_THAT(opened->notice, HasSubstr(std::string(word)));
  ASSERT_TRUE(fs::exists(folder / aside)) << opened->notice;
  if (bytes != nullptr) {
    EXPECT_EQ(read_bytes(folder / aside), *bytes);
  }
  AnswerCache cache(*opened->database, clock);
  ASSERT_TRUE(cache.put(kBinding, entry_of("works"), {}));
  auto found = cache.find_exact(kBinding, "works");
  ASSERT_TRUE(found);
  EXPECT_TRUE(*found);
}

TEST(Database, MakesFoldersAndAPrivateFileAndKeepsIt) {
  TestFolder folder;
  HandClock clock;
  const fs::path path = folder / "a/b/c.sqlite";
  fill(path, 3);
  struct stat facts {};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  auto again = Database::open(path, clock);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->notice, "");
  AnswerCache cache(*again->database, clock);
  EXPECT_EQ(cache.stats()->entries, 3U);
}

TEST(Database, AZeroLengthFileIsAFreshDatabase) {
  TestFolder folder;
  HandClock clock;
  write_bytes(folder / "c.sqlite", "");
  auto opened = Database::open(folder / "c.sqlite", clock);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->notice, "");
}

TEST(Database, RandomBytesAndTextAreSetAside) {
  std::string noise(20'000, '\0');
  unsigned state = 12345;
  for (char& c : noise) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  for (const std::string& bytes : {noise, std::string("hello, I am a text\n"), noise.substr(0, 99),
                                   std::string("SQLite format 3\0", 16) + noise}) {
    TestFolder folder;
    write_bytes(folder / "c.sqlite", bytes);
    expect_set_aside(folder, "corrupt", "set aside", &bytes);
  }
}

TEST(Database, ATruncatedFileIsSetAside) {
  for (const size_t kept : {50UL, 512UL, 4096UL, 9000UL, 16384UL}) {
    TestFolder folder;
    fill(folder / "c.sqlite", 50, 2000);
    const std::string bytes = read_bytes(folder / "c.sqlite").substr(0, kept);
    ASSERT_EQ(bytes.size(), kept);
    write_bytes(folder / "c.sqlite", bytes);
    expect_set_aside(folder, "corrupt", "set aside", &bytes);
  }
}

TEST(Database, AGarbledPageIsSetAside) {
  TestFolder folder;
  fill(folder / "c.sqlite", 50, 2000);
  std::string bytes = read_bytes(folder / "c.sqlite");
  for (size_t i = 3 * 4096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
  write_bytes(folder / "c.sqlite", bytes);
  expect_set_aside(folder, "corrupt", "set aside", nullptr);
}

// Too large to be checked at the start: the damage shows later, and retires the file then.
TEST(Database, DamageMetLaterRetiresTheFile) {
  TestFolder folder;
  HandClock clock;
  fill(folder / "c.sqlite", 300, 12'000);
  std::string bytes = read_bytes(folder / "c.sqlite");
  ASSERT_GT(bytes.size(), 512U * 4096U);
  for (size_t i = 8 * 4096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
  write_bytes(folder / "c.sqlite", bytes);
  auto opened = Database::open(folder / "c.sqlite", clock);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->notice, "");
  AnswerCache cache(*opened->database, clock);
  auto found = cache.find_similar(kBinding, std::vector<float>{1, 0}, 0.9);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::Corrupt);
  EXPECT_THAT(found.error().hint, HasSubstr("c.sqlite.corrupt-20231114T221320Z"));
  EXPECT_TRUE(fs::exists(folder / "c.sqlite.corrupt-20231114T221320Z"));
  // The damaged one is still open here; the fresh one is independent of it.
  auto fresh = Database::open(folder / "c.sqlite", clock);
  ASSERT_TRUE(fresh);
  AnswerCache fresh_cache(*fresh->database, clock);
  EXPECT_TRUE(fresh_cache.put(kBinding, entry_of("q"), {}));
  EXPECT_EQ(fresh_cache.stats()->entries, 1U);
}

TEST(Database, ForeignTablesAreSetAsideUnchanged) {
  TestFolder folder;
  run_sql(folder / "c.sqlite", "CREATE TABLE bookmarks (url); INSERT INTO bookmarks VALUES (1)");
  const std::string bytes = read_bytes(folder / "c.sqlite");
  expect_set_aside(folder, "foreign", "another program", &bytes);
}

TEST(Database, OurStampWithATriggerIsForeign) {
  TestFolder folder;
  fill(folder / "c.sqlite", 1);
  run_sql(folder / "c.sqlite",
          "CREATE TRIGGER spy AFTER INSERT ON answers BEGIN DELETE FROM embeddings; END");
  expect_set_aside(folder, "foreign", "tables", nullptr);
}

TEST(Database, ANewerVersionIsKeptWhole) {
  TestFolder folder;
  HandClock clock;
  fill(folder / "c.sqlite", 2);
  run_sql(folder / "c.sqlite", "PRAGMA user_version = 99");
  expect_set_aside(folder, "newer", "version 99", nullptr);
  // Its entries can still be had from where it lies.
  const fs::path aside = folder / "c.sqlite.newer-20231114T221320Z";
  run_sql(aside, "PRAGMA user_version = " + std::to_string(cache_schema().migrations.size()));
  auto opened = Database::open(aside, clock);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->notice, "");
  EXPECT_EQ(AnswerCache(*opened->database, clock).stats()->entries, 2U);
}

TEST(Database, TwoSetAsideInOneSecondHaveTwoNames) {
  TestFolder folder;
  HandClock clock;
  for (int i = 0; i < 2; ++i) {
    write_bytes(folder / "c.sqlite", "not a database, whatever it says, at all");
    fs::remove(folder / "c.sqlite-wal");
    ASSERT_TRUE(Database::open(folder / "c.sqlite", clock));
  }
  EXPECT_TRUE(fs::exists(folder / "c.sqlite.corrupt-20231114T221320Z"));
  EXPECT_TRUE(fs::exists(folder / "c.sqlite.corrupt-20231114T221320Z-2"));
}

TEST(Database, AFolderOrPipeAtThePathIsLeftAlone) {
  TestFolder folder;
  HandClock clock;
  fs::create_directory(folder / "c.sqlite");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const char* name : {"c.sqlite", "pipe"}) {
    auto opened = Database::open(folder / name, clock);
    ASSERT_FALSE(opened) << name;
    EXPECT_EQ(opened.error().code, ErrorCode::Io);
    EXPECT_THAT(opened.error().message(), HasSubstr((folder / name).string()));
    EXPECT_THAT(opened.error().hint, HasSubstr("move it away"));
  }
}

TEST(Database, AnUnwritablePlaceIsATypedError) {
  TestFolder folder;
  HandClock clock;
  write_bytes(folder / "file", "x");
  for (const fs::path& path : {folder / "file/sub/c.sqlite", fs::path("/proc/nowhere/c.sqlite")}) {
    auto opened = Database::open(path, clock);
    ASSERT_FALSE(opened) << path;
    EXPECT_EQ(opened.error().code, ErrorCode::Io);
    EXPECT_THAT(opened.error().where, HasSubstr(path.parent_path().string()));
    EXPECT_NE(opened.error().hint, "");
  }
}

TEST(Database, AReadOnlyFolderIsATypedError) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "permission bits do not bind root; run the tests as another user for this one "
                    "(AnUnwritablePlaceIsATypedError covers the error without them)";
  }
  TestFolder folder;
  HandClock clock;
  fill(folder / "c.sqlite", 1);
  fs::permissions(folder / "", fs::perms::owner_read | fs::perms::owner_exec);
  auto opened = Database::open(folder / "c.sqlite", clock);
  fs::permissions(folder / "", fs::perms::owner_all);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::Io);
}

TEST(Database, AFullDiskFailsTheWriteAndKeepsWhatIsThere) {
  TestFolder folder;
  HandClock clock;
  auto opened = Database::open(folder / "c.sqlite", clock, {.pages_max = 20});
  ASSERT_TRUE(opened) << opened.error().message();
  AnswerCache cache(*opened->database, clock);
  ASSERT_TRUE(cache.put(kBinding, entry_of("small"), {}));
  CachedAnswer large = entry_of("large");
  large.answer.assign(200'000, 'x');
  auto refused = cache.put(kBinding, large, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Io);
  EXPECT_THAT(refused.error().hint, HasSubstr("disk space"));
  EXPECT_TRUE(cache.put(kBinding, entry_of("small again"), {}));
  EXPECT_EQ(cache.stats()->entries, 2U);
}

// No byte may be written at all: the closest to a full disk that a test can have for itself.
TEST(Database, ADiskFullAtTheFirstByteIsATypedError) {
  TestFolder folder;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_FSIZE, &none);
    HandClock clock;
    auto opened = Database::open(folder / "c.sqlite", clock);
    ::_exit(!opened && opened.error().code == ErrorCode::Io ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(Database, ALockedDatabaseIsUnavailableAndWaitsNoLonger) {
  TestFolder folder;
  HandClock clock;
  auto holder = Database::open(folder / "c.sqlite", clock);
  ASSERT_TRUE(holder);
  auto other = Database::open(folder / "c.sqlite", clock,
                              {.busy_timeout = std::chrono::milliseconds{20}});
  ASSERT_TRUE(other);
  auto transaction = Transaction::begin(*holder->database);
  ASSERT_TRUE(transaction);
  AnswerCache cache(*other->database, clock);
  auto put = cache.put(kBinding, entry_of("q"), {});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::Unavailable);
  ASSERT_TRUE(transaction->commit());
  EXPECT_TRUE(cache.put(kBinding, entry_of("q"), {}));
}

TEST(Database, ASymbolicLinkIsFollowed) {
  TestFolder folder;
  HandClock clock;
  fs::create_directory(folder / "real");
  fs::create_symlink(folder / "real/c.sqlite", folder / "link");
  fill(folder / "link", 2);
  EXPECT_TRUE(fs::is_regular_file(folder / "real/c.sqlite"));
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
}

TEST(Transaction, IsRolledBackUnlessCommitted) {
  TestFolder folder;
  HandClock clock;
  auto opened = Database::open(folder / "c.sqlite", clock);
  ASSERT_TRUE(opened);
  Database& database = *opened->database;
  const std::string insert = "INSERT INTO embeddings (encoder, text_key, embedding) VALUES ";
  {
    auto transaction = Transaction::begin(database);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(database.execute(insert + "('e', 'a', x'00')"));
  }
  {
    auto transaction = Transaction::begin(database);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(database.execute(insert + "('e', 'b', x'00')"));
    ASSERT_TRUE(transaction->commit());
  }
  auto row = database.prepare("SELECT count(*), max(text_key) FROM embeddings");
  ASSERT_TRUE(row);
  ASSERT_TRUE(*row->step());
  EXPECT_EQ(row->integer(0), 1);
  EXPECT_EQ(row->text(1), "b");
}

TEST(Statement, AColumnOfAnotherTypeReadsAsNothing) {
  TestFolder folder;
  HandClock clock;
  auto opened = Database::open(folder / "c.sqlite", clock);
  ASSERT_TRUE(opened);
  auto row = opened->database->prepare("SELECT 'text', x'0102', NULL, 7, ?");
  ASSERT_TRUE(row);
  ASSERT_TRUE(*row->bind(std::string_view("a\0b", 3)).step());
  EXPECT_EQ(row->integer(0), 0);
  EXPECT_EQ(row->real(1), 0);
  EXPECT_EQ(row->text(1), "");
  EXPECT_EQ(row->blob(0).size(), 0U);
  EXPECT_EQ(row->text(2), "");
  EXPECT_EQ(row->real(3), 7);
  EXPECT_EQ(row->text(4), std::string_view("a\0b", 3));
  EXPECT_FALSE(row->bind(1, 2).step());  // more values than parameters
  EXPECT_FALSE(opened->database->prepare("SELEKT"));
}

}  // namespace
}  // namespace tinyarms::storage
