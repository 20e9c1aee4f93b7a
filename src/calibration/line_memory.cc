#include "calibration/line_memory.h"

#include <cstring>
#include <utility>

#include "calibration/random.h"

namespace tinyarms::calibration {

uint64_t hash_text(std::string_view text, uint64_t seed) {
  uint64_t state = mix64(seed ^ (text.size() * 0x9E3779B97F4A7C15ULL));
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    state = mix64(state ^ word) + 0x9E3779B97F4A7C15ULL;
  }
  uint64_t word = 0;
  if (at < text.size()) std::memcpy(&word, text.data() + at, text.size() - at);
  return mix64(state ^ word);
}

std::optional<LineMemory::Seen> LineMemory::insert(uint64_t key, Seen seen) {
  if ((used_ + 1) * 4 > keys_.size() * 3) grow();
  if (key == 0) key = 1;
  size_t slot = key & (keys_.size() - 1);
  for (; keys_[slot] != 0; slot = (slot + 1) & (keys_.size() - 1)) {
    if (keys_[slot] == key) return values_[slot];
  }
  keys_[slot] = key;
  values_[slot] = seen;
  ++used_;
  return std::nullopt;
}

void LineMemory::grow() {
  const size_t size = keys_.empty() ? 1024 : keys_.size() * 2;
  std::vector<uint64_t> keys(size, 0);
  std::vector<Seen> values(size);
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i] == 0) continue;
    size_t slot = keys_[i] & (size - 1);
    while (keys[slot] != 0) slot = (slot + 1) & (size - 1);
    keys[slot] = keys_[i];
    values[slot] = values_[i];
  }
  keys_ = std::move(keys);
  values_ = std::move(values);
}

}  // namespace tinyarms::calibration
