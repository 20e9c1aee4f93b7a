#include "storage/statement.h"

#include <sqlite3.h>

#include <utility>

#include "storage/database.h"

namespace tinyarms::storage {

Statement::Statement(Database& database, sqlite3_stmt* handle)
    : database_(&database), handle_(handle) {}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      handle_(std::exchange(other.handle_, nullptr)),
      bind_failure_(other.bind_failure_) {}

Statement::~Statement() { sqlite3_finalize(handle_); }

void Statement::note(int sqlite_code) {
  if (sqlite_code != SQLITE_OK && bind_failure_ == SQLITE_OK) bind_failure_ = sqlite_code;
}

void Statement::bind_one(int index, int64_t value) {
  note(sqlite3_bind_int64(handle_, index, value));
}

void Statement::bind_one(int index, double value) {
  note(sqlite3_bind_double(handle_, index, value));
}

void Statement::bind_one(int index, std::string_view value) {
  // A null pointer would bind NULL instead of the empty text.
  const char* data = value.empty() ? "" : value.data();
  note(sqlite3_bind_text64(handle_, index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bind_one(int index, std::span<const float> value) {
  if (value.empty()) return note(sqlite3_bind_null(handle_, index));
  note(sqlite3_bind_blob64(handle_, index, value.data(), value.size_bytes(), SQLITE_TRANSIENT));
}

Result<bool> Statement::step() {
  if (bind_failure_ != SQLITE_OK) return database_->error_of(bind_failure_);
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Error error = database_->error_of(code);
  sqlite3_reset(handle_);
  return error;
}

Result<void> Statement::run() {
  while (true) {
    Result<bool> row = step();
    if (!row) return row.error();
    if (!*row) break;
  }
  reset();
  return {};
}

void Statement::reset() {
  sqlite3_reset(handle_);  // repeats the last step's failure, which step() told already
  bind_failure_ = SQLITE_OK;
}

int64_t Statement::integer(int column) const {
  if (sqlite3_column_type(handle_, column) != SQLITE_INTEGER) return 0;
  return sqlite3_column_int64(handle_, column);
}

double Statement::real(int column) const {
  const int type = sqlite3_column_type(handle_, column);
  if (type != SQLITE_FLOAT && type != SQLITE_INTEGER) return 0;
  return sqlite3_column_double(handle_, column);
}

std::string_view Statement::text(int column) const {
  if (sqlite3_column_type(handle_, column) != SQLITE_TEXT) return {};
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  if (data == nullptr) return {};
  return {data, static_cast<size_t>(sqlite3_column_bytes(handle_, column))};
}

std::span<const std::byte> Statement::blob(int column) const {
  if (sqlite3_column_type(handle_, column) != SQLITE_BLOB) return {};
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(handle_, column));
  if (data == nullptr) return {};
  return {data, static_cast<size_t>(sqlite3_column_bytes(handle_, column))};
}

}  // namespace tinyarms::storage
