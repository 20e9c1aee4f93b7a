// The memory of one context: which sequence holds which tokens, what is kept of answered requests
// for those that begin alike, and what is let go when room is needed. Used by the one thread that
// owns the context.
#pragma once

#include <llama.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/scheduler/kv_counters.h"
#include "engine/scheduler/prefix_tree.h"

namespace tinyarms::engine {

struct KvOptions {
  size_t sequences = 1;        // as the context was made with; running and kept ones together
  bool sharing = true;         // false where a prefix cannot be copied (recurrent models, windows)
  double depth_cost = 0;       // what a token costs more to compute for each that is before it
};

class KvStore {
 public:
  KvStore(llama_context* context, const KvOptions& options);

  // How much of a prompt some sequence of that scope holds now.
  size_t held(const std::string& scope, std::span<const llama_token> tokens) const;

  struct Opened {
    int sequence = -1;
    size_t reused = 0;  // tokens that are there already; never all of them
  };
  // A sequence for these tokens that may grow to `length_max`, with room set aside for that.
  // Nothing where it does not fit beside the running ones, whatever is let go.
  std::optional<Opened> open(const std::string& scope, std::span<const llama_token> tokens,
                             size_t length_max);
  // The pass that computed them succeeded.
  void computed(int sequence, std::span<const llama_token> tokens);
  // A pass failed: what it may have left of the sequence is removed.
  void rewind(int sequence);
  // The request is over (or parked): its tokens stay until room is needed.
  void keep(int sequence);
  void drop(int sequence);
  void drop_kept();

  // A sequence that was computed elsewhere, as if it had been kept here. Room is made for `cells`,
  // which is at least as many as there are tokens: `fill` may write so many before it leaves those
  // of the tokens. False where there is no room, or `fill` says no; nothing stays then.
  bool adopt(const std::string& scope, std::span<const llama_token> tokens, size_t cells,
             const std::function<bool(int sequence)>& fill);

  struct KeptTokens {
    std::string scope;
    int sequence = -1;
    std::vector<llama_token> tokens;
  };
  std::vector<KeptTokens> kept() const;
  // Cells that would be free without that kept one.
  size_t own_cells(int sequence) const;

  // Called before a kept sequence goes for want of room.
  using Evicting = std::function<void(const std::string& scope, int sequence,
                                      std::span<const llama_token> tokens)>;
  void on_evicting(Evicting evicting) { evicting_ = std::move(evicting); }

  bool sharing() const { return options_.sharing; }
  KvCounters counters() const;

 private:
  struct Running {
    std::string scope;
    size_t length_max = 0;
  };
  struct Kept {
    std::string scope;
    double priority = 0;  // greedy dual: the lowest goes first
    int uses = 0;
  };

  PrefixTree& tree(const std::string& scope) { return trees_[scope]; }
  size_t cells_used() const;
  size_t cells_promised() const;
  bool fits(size_t more) const;
  bool evict_one(int spared);
  void refresh(int sequence, Kept& kept);
  void remove_covered(const std::string& scope, int by);
  std::optional<int> free_id(int spared);

  llama_context* context_;
  KvOptions options_;
  Evicting evicting_;
  std::map<std::string, PrefixTree> trees_;
  std::map<int, Running> running_;
  std::map<int, Kept> kept_;
  double clock_ = 0;  // the priority of what was let go last
  KvCounters counters_;
};

}  // namespace tinyarms::engine
