#include "storage/schema.h"

#include <array>

namespace tinyarms::storage {
namespace {

// AUTOINCREMENT: an id is never given twice, so that "ids above the last one seen" are exactly
// what other processes added. `embedding` stands before the texts: a long answer's overflow pages
// are then not walked by the scan that loads the matrix. `used` counts uses, not seconds: clocks
// go back.
constexpr std::array<const char*, 1> kMigrations = {R"sql(
CREATE TABLE answers (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  binding TEXT NOT NULL,
  question_key TEXT NOT NULL,
  used INTEGER NOT NULL,
  embedding BLOB,
  question TEXT NOT NULL,
  answer TEXT NOT NULL,
  source TEXT NOT NULL,
  level TEXT NOT NULL,
  confidence REAL NOT NULL,
  created_at REAL NOT NULL,
  UNIQUE (binding, question_key)
) STRICT;
CREATE INDEX answers_by_binding ON answers (binding);
CREATE INDEX answers_by_use ON answers (used);
CREATE TABLE embeddings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  encoder TEXT NOT NULL,
  text_key TEXT NOT NULL,
  embedding BLOB NOT NULL,
  UNIQUE (encoder, text_key)
) STRICT;
)sql"};

}  // namespace

std::span<const char* const> migrations() { return kMigrations; }

}  // namespace tinyarms::storage
