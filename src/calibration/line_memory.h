// Which key was first seen on which line, and with which mark: an open-addressing table of 64-bit
// keys at 16 bytes a slot. A false alarm among 5 million keys has probability 7·10^-7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tinyarms::calibration {

// 64 bits of `text`, mixed on from `seed`, so that fields can be chained.
uint64_t hash_text(std::string_view text, uint64_t seed);

class LineMemory {
 public:
  struct Seen {
    uint32_t line = 0;
    uint8_t mark = 0;
  };

  // What was stored under `key` before, or nothing, in which case `seen` is stored now.
  std::optional<Seen> insert(uint64_t key, Seen seen);

  // Brings the key's place into the cache: worth it some inserts ahead.
  void prefetch(uint64_t key) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[key & (slots_.size() - 1)], 1);
  }

 private:
  struct Slot {
    uint64_t key = 0;  // 0: free
    Seen seen{};
  };
  void grow();

  std::vector<Slot> slots_;
  size_t used_ = 0;
};

}  // namespace tinyarms::calibration
