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
  if ((used_ + 1) * 4 > slots_.size() * 3) grow();
  if (key == 0) key = 1;
  size_t slot = key & (slots_.size() - 1);
  for (; slots_[slot].key != 0; slot = (slot + 1) & (slots_.size() - 1)) {
    if (slots_[slot].key == key) return slots_[slot].seen;
  }
  slots_[slot] = {key, seen};
  ++used_;
  return std::nullopt;
}

void LineMemory::grow() {
  const size_t size = slots_.empty() ? 1024 : slots_.size() * 2;
  std::vector<Slot> slots(size);
  for (const Slot& old : slots_) {
    if (old.key == 0) continue;
    size_t slot = old.key & (size - 1);
    while (slots[slot].key != 0) slot = (slot + 1) & (size - 1);
    slots[slot] = old;
  }
  slots_ = std::move(slots);
}

}  // namespace tinyarms::calibration
