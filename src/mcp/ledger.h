// The last answers that this process gave to its clients, in memory: what `explain_decision` tells
// where the decision log is off, and whose a logged decision is. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "mcp/protocol.h"

namespace tinyarms::mcp {

struct LedgerEntry {
  std::string id{};
  std::string owner{};
  double at = 0;       // seconds since 1970 UTC
  bool logged = false;
  OrderedJson reply{};  // service::reply_json without the drafts' texts
};

class Ledger {
 public:
  explicit Ledger(size_t entries_max) : entries_max_(entries_max) {}

  void add(LedgerEntry entry);
  // The newest that `word` begins the id of, or the newest of all for "last"; of that owner only.
  std::optional<LedgerEntry> find(const std::string& word, const std::string& owner) const;
  std::vector<LedgerEntry> newest(const std::string& owner) const;  // newest first

 private:
  size_t entries_max_;
  mutable std::mutex mutex_;
  std::deque<LedgerEntry> entries_;  // newest first
};

}  // namespace tinyarms::mcp
