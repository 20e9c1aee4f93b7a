#include "engine/scheduler/kv_store.h"

#include <algorithm>
#include <cassert>

#include "engine/length_alike.h"

namespace tinyarms::engine {

KvStore::KvStore(llama_context* context, const KvOptions& options)
    : context_(context), options_(options) {
  counters_.cells = llama_n_ctx(context);
}

size_t KvStore::held(const std::string& scope, std::span<const llama_token> tokens) const {
  const auto found = trees_.find(scope);
  return !options_.sharing || found == trees_.end() ? 0 : found->second.match(tokens).length;
}

size_t KvStore::cells_used() const {
  size_t used = 0;
  for (const auto& [scope, tree] : trees_) used += tree.cells();
  return used;
}

// Room set aside for what running sequences may still become.
size_t KvStore::cells_promised() const {
  size_t promised = 0;
  for (const auto& [sequence, running] : running_) {
    promised += running.length_max - trees_.at(running.scope).length(sequence);
  }
  return promised;
}

bool KvStore::fits(size_t more) const {
  return cells_used() + cells_promised() + more <= counters_.cells;
}

std::optional<int> KvStore::free_id(int spared) {
  for (int id = 0;; ++id) {
    if (id == static_cast<int>(options_.sequences)) {
      if (!evict_one(spared)) return std::nullopt;
      id = 0;
    }
    if (!running_.contains(id) && !kept_.contains(id)) return id;
  }
}

std::optional<KvStore::Opened> KvStore::open(const std::string& scope,
                                             std::span<const llama_token> tokens,
                                             size_t length_max) {
  assert(!tokens.empty() && tokens.size() <= length_max);
  PrefixTree::Match match;
  // The last token is computed again: its logits are not kept.
  if (options_.sharing) match = tree(scope).match(tokens.first(tokens.size() - 1));
  auto id = free_id(match.sequence);
  if (!id) return std::nullopt;

  PrefixTree& tree = this->tree(scope);  // only now: the old one goes with its last sequence
  if (match.length > 0) {
    llama_memory_seq_cp(llama_get_memory(context_), match.sequence, *id, 0,
                        static_cast<llama_pos>(match.length));
    tree.open(*id, match.sequence, match.length);
    if (const auto kept = kept_.find(match.sequence); kept != kept_.end()) {
      refresh(match.sequence, kept->second);
    }
  } else {
    tree.open(*id);
  }
  running_[*id] = {scope, length_max};  // counts as promised from here on
  while (!fits(0)) {
    if (evict_one(-1)) continue;
    drop(*id);
    return std::nullopt;
  }
  counters_.tokens_reused += match.length;
  return Opened{*id, match.length};
}

void KvStore::computed(int sequence, std::span<const llama_token> tokens) {
  tree(running_.at(sequence).scope).append(sequence, tokens);
  counters_.tokens_computed += tokens.size();
}

void KvStore::rewind(int sequence) {
  const size_t length = tree(running_.at(sequence).scope).length(sequence);
  llama_memory_seq_rm(llama_get_memory(context_), sequence, static_cast<llama_pos>(length), -1);
}

void KvStore::keep(int sequence) {
  const std::string scope = running_.at(sequence).scope;
  if (!options_.sharing || tree(scope).length(sequence) == 0) return drop(sequence);
  running_.erase(sequence);
  Kept& kept = kept_[sequence];
  kept.scope = scope;
  refresh(sequence, kept);
  remove_covered(scope, sequence);
}

// A kept sequence that the new one begins with adds nothing; nor does this one, where another
// begins with it.
void KvStore::remove_covered(const std::string& scope, int by) {
  PrefixTree& tree = this->tree(scope);
  const std::vector<PrefixTree::Token> tokens = tree.tokens(by);
  std::vector<int> covered;
  for (const auto& [sequence, kept] : kept_) {
    if (sequence == by || kept.scope != scope) continue;
    const std::vector<PrefixTree::Token> other = tree.tokens(sequence);
    const size_t alike = length_alike(other, tokens);
    if (alike == other.size()) covered.push_back(sequence);
    if (alike == tokens.size() && alike < other.size()) return drop(by);
  }
  for (const int sequence : covered) drop(sequence);
}

// GreedyDual-Size (Cao & Irani 1997) with frequency: what a cell's worth of the sequence would
// cost to compute again, counted from what the last one to go was worth.
void KvStore::refresh(int sequence, Kept& kept) {
  ++kept.uses;
  const auto depth = static_cast<double>(tree(kept.scope).length(sequence));
  kept.priority = clock_ + kept.uses * (1 + options_.depth_cost * depth / 2);
}

bool KvStore::evict_one(int spared) {
  const auto worst = std::min_element(
      kept_.begin(), kept_.end(), [&](const auto& a, const auto& b) {
        const bool a_spared = a.first == spared;
        const bool b_spared = b.first == spared;
        return a_spared != b_spared ? b_spared : a.second.priority < b.second.priority;
      });
  if (worst == kept_.end() || worst->first == spared) return false;
  clock_ = std::max(clock_, worst->second.priority);
  ++counters_.evictions;
  const int sequence = worst->first;
  const std::string& scope = worst->second.scope;
  if (evicting_) evicting_(scope, sequence, tree(scope).tokens(sequence));
  drop(sequence);
  return true;
}

bool KvStore::adopt(const std::string& scope, std::span<const llama_token> tokens, size_t cells,
                    const std::function<bool(int sequence)>& fill) {
  assert(tokens.size() <= cells);
  // A request needs a sequence of its own beside the one whose cells it shares.
  if (!options_.sharing || options_.sequences < 2 || tokens.empty()) return false;
  while (!fits(cells)) {
    if (!evict_one(-1)) return false;
  }
  const auto id = free_id(-1);
  if (!id) return false;
  if (!fill(*id)) {
    llama_memory_seq_rm(llama_get_memory(context_), *id, -1, -1);
    return false;
  }
  tree(scope).open(*id);
  tree(scope).append(*id, tokens);
  Kept& kept = kept_[*id];
  kept.scope = scope;
  refresh(*id, kept);
  counters_.tokens_restored += tokens.size();
  remove_covered(scope, *id);
  return true;
}

std::vector<KvStore::KeptTokens> KvStore::kept() const {
  std::vector<KeptTokens> all;
  for (const auto& [sequence, kept] : kept_) {
    all.push_back({kept.scope, sequence, trees_.at(kept.scope).tokens(sequence)});
  }
  return all;
}

size_t KvStore::own_cells(int sequence) const {
  return trees_.at(kept_.at(sequence).scope).own_cells(sequence);
}

void KvStore::drop(int sequence) {
  const auto running = running_.find(sequence);
  const std::string scope =
      running != running_.end() ? running->second.scope : kept_.at(sequence).scope;
  llama_memory_seq_rm(llama_get_memory(context_), sequence, -1, -1);
  tree(scope).close(sequence);
  running_.erase(sequence);
  kept_.erase(sequence);
  if (tree(scope).sequences() == 0) trees_.erase(scope);
}

void KvStore::drop_kept() {
  while (!kept_.empty()) drop(kept_.begin()->first);
}

KvCounters KvStore::counters() const {
  KvCounters now = counters_;
  now.cells_used = cells_used();
  now.sequences_running = running_.size();
  now.sequences_kept = kept_.size();
  for (const auto& [sequence, kept] : kept_) {
    now.cells_kept += own_cells(sequence);
  }
  return now;
}

}  // namespace tinyarms::engine
