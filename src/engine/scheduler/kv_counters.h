// How full a context's memory is, and what sharing it has saved.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tinyarms::engine {

struct KvCounters {
  size_t cells = 0;            // in all
  size_t cells_used = 0;       // by running and kept sequences
  size_t cells_kept = 0;       // what letting go of every kept one would free, at least
  size_t sequences_running = 0;
  size_t sequences_kept = 0;
  uint64_t tokens_reused = 0;    // not computed because another sequence held them
  uint64_t tokens_computed = 0;  // prompts and answers
  uint64_t tokens_restored = 0;  // came from snapshots, in memory or on disk
  uint64_t evictions = 0;
};

}  // namespace tinyarms::engine
