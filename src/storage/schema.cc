#include "storage/schema.h"

#include <array>

namespace tinyarms::storage {
namespace {

// AUTOINCREMENT: an id is never given twice, so that "ids above the last one seen" are exactly
// what other processes added. `used` counts uses, not seconds: clocks go back.
constexpr std::array<const char*, 3> kMigrations = {R"sql(
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
)sql",
// Bindings are made of more than before, so that no older entry could be found again. `name` is
// what people call an entry by. A rejection is of an entry's name, or of a user, question and
// answer.
R"sql(
DROP TABLE answers;
CREATE TABLE answers (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  binding TEXT NOT NULL,
  question_key TEXT NOT NULL,
  name TEXT NOT NULL,
  used INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  created_at REAL NOT NULL,
  confidence REAL NOT NULL,
  user TEXT NOT NULL,
  project TEXT NOT NULL,
  state TEXT NOT NULL,
  sampling TEXT NOT NULL,
  embedding BLOB,
  question TEXT NOT NULL,
  answer TEXT NOT NULL,
  source TEXT NOT NULL,
  level TEXT NOT NULL,
  UNIQUE (binding, question_key)
) STRICT;
CREATE INDEX answers_by_binding ON answers (binding);
CREATE INDEX answers_by_name ON answers (name);
CREATE INDEX answers_by_use ON answers (used, bytes);
CREATE INDEX answers_by_age ON answers (created_at);
CREATE TABLE rejections (
  rejected TEXT PRIMARY KEY,
  at REAL NOT NULL
) STRICT;
)sql",
// A question has a vector for each encoder, and bindings no longer depend on the encoder, so that
// no older entry could be found again. NULL: too long for that encoder. `encoders` are
// those that serve or did.
R"sql(
DELETE FROM answers;
ALTER TABLE answers DROP COLUMN embedding;
CREATE TABLE vectors (
  answer INTEGER NOT NULL REFERENCES answers (id) ON DELETE CASCADE,
  encoder TEXT NOT NULL,
  vector BLOB,
  PRIMARY KEY (answer, encoder)
) STRICT;
CREATE TABLE encoders (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  encoder TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL
) STRICT;
)sql"};

// A step's evidence is JSON, which storage does not read. Outcomes come later, from anywhere, and
// are kept in the order in which they came: a sequential test reads them so.
constexpr std::array<const char*, 4> kDecisionMigrations = {R"sql(
CREATE TABLE decisions (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  at REAL NOT NULL,
  question_sha TEXT NOT NULL,
  question_bytes INTEGER NOT NULL,
  question TEXT NOT NULL,
  question_group TEXT NOT NULL,
  policy TEXT NOT NULL,
  winner INTEGER NOT NULL,
  sure INTEGER NOT NULL
) STRICT;
CREATE TABLE steps (
  decision INTEGER NOT NULL REFERENCES decisions (number) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  level TEXT NOT NULL,
  verdict TEXT NOT NULL,
  answered INTEGER NOT NULL,
  source TEXT NOT NULL,
  model TEXT NOT NULL,
  quantization TEXT NOT NULL,
  engine TEXT NOT NULL,
  sampler TEXT NOT NULL,
  confidence REAL NOT NULL,
  calibrated INTEGER NOT NULL,
  certificate TEXT NOT NULL,
  threshold REAL NOT NULL,
  propensity REAL NOT NULL,
  seconds REAL NOT NULL,
  tokens INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  PRIMARY KEY (decision, position)
) STRICT;
CREATE TABLE outcomes (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  decision INTEGER NOT NULL REFERENCES decisions (number) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  good INTEGER NOT NULL,
  source TEXT NOT NULL,
  at REAL NOT NULL
) STRICT;
CREATE INDEX outcomes_by_decision ON outcomes (decision);
)sql",
// Kept answers that wait for a second look, texts and all; gone once they had it.
R"sql(
CREATE TABLE shadows (
  decision INTEGER PRIMARY KEY REFERENCES decisions (number) ON DELETE CASCADE,
  text TEXT NOT NULL
) STRICT;
)sql",
// What is too old is found without a look at all the rest.
R"sql(
CREATE INDEX decisions_by_time ON decisions (at);
)sql",
// The id that the reply had, which whoever asked may have chosen.
R"sql(
ALTER TABLE decisions ADD COLUMN request TEXT NOT NULL DEFAULT '';
)sql"};

// Files by absolute path, so that a folder is a range of paths. A passage's id is never given
// twice: its vector lies elsewhere under that number, and must never be taken for another
// passage's. `words` holds the index of the words only; the text stands in `passages` once.
constexpr std::array<const char*, 1> kPassageMigrations = {R"sql(
CREATE TABLE facts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
CREATE TABLE files (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL UNIQUE,
  stamp TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  language TEXT NOT NULL
) STRICT;
CREATE TABLE passages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  file INTEGER NOT NULL REFERENCES files (id),
  first_line INTEGER NOT NULL,
  last_line INTEGER NOT NULL,
  kind TEXT NOT NULL,
  symbol TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX passages_by_file ON passages (file);
CREATE INDEX passages_by_symbol ON passages (symbol);
CREATE VIRTUAL TABLE words USING fts5 (
  symbol, path, body,
  content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2'
);
)sql"};

// A number is never given twice: what was settled cannot be settled for another question.
constexpr std::array<const char*, 1> kSpendingMigrations = {R"sql(
CREATE TABLE days (
  day TEXT PRIMARY KEY,
  dollars REAL NOT NULL,
  questions INTEGER NOT NULL
) STRICT;
CREATE TABLE holds (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  day TEXT NOT NULL,
  dollars REAL NOT NULL
) STRICT;
CREATE INDEX holds_by_day ON holds (day);
)sql"};

}  // namespace

Schema cache_schema() { return {kApplicationId, kMigrations}; }
Schema decision_log_schema() { return {kDecisionLogId, kDecisionMigrations}; }
Schema passage_schema() { return {kPassageStoreId, kPassageMigrations}; }
Schema spending_schema() { return {kSpendingId, kSpendingMigrations}; }

}  // namespace tinyarms::storage
