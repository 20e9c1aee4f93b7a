// The tables of our databases, version by version. A new version is one more entry; entries that
// shipped never change.
#pragma once

#include <cstdint>
#include <span>

namespace tinyarms::storage {

struct Schema {
  int64_t application_id = 0;  // PRAGMA application_id: tells our kinds of files apart
  // migrations[n] takes a database from user_version n to n + 1. Lives as long as the program.
  std::span<const char* const> migrations{};
};

// PRAGMA application_id of our files: "tArm", "tArL", "tArI" and "tArS".
constexpr int64_t kApplicationId = 0x7441726D;
constexpr int64_t kDecisionLogId = 0x7441724C;
constexpr int64_t kPassageStoreId = 0x74417249;
constexpr int64_t kSpendingId = 0x74417253;

Schema cache_schema();         // answers and embeddings
Schema decision_log_schema();  // decisions, their steps and outcomes
Schema passage_schema();       // indexed files, their passages and the words in them
Schema spending_schema();      // what remote answers cost, day by day

}  // namespace tinyarms::storage
