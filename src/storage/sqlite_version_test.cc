#include "storage/sqlite_version.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace tinyarms::storage {
namespace {

TEST(SqliteVersion, TheWalFaultIsMended) {
  EXPECT_GE(sqlite3_libversion_number(), 3'051'003) << sqlite_version();
}

TEST(SqliteVersion, HeaderAndLibraryAreOnePair) {
  EXPECT_EQ(sqlite_version(), SQLITE_VERSION);
  // A connection on a thread of its own needs no mutex of its own, but SQLite must have its global
  // ones: 0 would be a library for one thread only.
  EXPECT_NE(sqlite3_threadsafe(), 0);
}

}  // namespace
}  // namespace tinyarms::storage
