#include "mcp/ledger.h"

namespace tinyarms::mcp {

void Ledger::add(LedgerEntry entry) {
  const std::lock_guard lock(mutex_);
  entries_.push_front(std::move(entry));
  if (entries_.size() > entries_max_) entries_.pop_back();
}

std::optional<LedgerEntry> Ledger::find(const std::string& word, const std::string& owner) const {
  constexpr size_t kWordBytesMin = 4;
  if (word.size() < kWordBytesMin) return std::nullopt;
  const std::lock_guard lock(mutex_);
  for (const LedgerEntry& entry : entries_) {
    if (entry.owner == owner && (word == "last" || entry.id.starts_with(word))) return entry;
  }
  return std::nullopt;
}

std::vector<LedgerEntry> Ledger::newest(const std::string& owner) const {
  const std::lock_guard lock(mutex_);
  std::vector<LedgerEntry> found;
  for (const LedgerEntry& entry : entries_) {
    if (entry.owner == owner) found.push_back(entry);
  }
  return found;
}

}  // namespace tinyarms::mcp
