// A prepared statement: values in by position (from 1), rows out by column (from 0). Nothing that
// a hostile file can hold makes a column throw or read out of bounds: a value of another type
// reads as zero or empty, and the caller validates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"

struct sqlite3_stmt;

namespace tinyarms::storage {

class Database;

class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;

  // Binds all parameters, in order: integers, doubles, text (string_view) and blobs
  // (span<const float>). Everything is copied. A failure shows at the next step().
  template <typename... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }

  Result<bool> step();  // true: a row is there
  Result<void> run();   // to the end, rows ignored, then reset
  void reset();

  int64_t integer(int column) const;
  double real(int column) const;
  // Valid until the next step, reset or bind.
  std::string_view text(int column) const;
  std::span<const std::byte> blob(int column) const;

 private:
  friend class Database;
  Statement(Database& database, sqlite3_stmt* handle);

  void bind_one(int index, int64_t value);
  void bind_one(int index, int value) { bind_one(index, int64_t{value}); }
  void bind_one(int index, double value);
  void bind_one(int index, std::string_view value);
  void bind_one(int index, std::span<const float> value);
  void note(int sqlite_code);

  Database* database_;
  sqlite3_stmt* handle_;
  int bind_failure_ = 0;
};

}  // namespace tinyarms::storage
