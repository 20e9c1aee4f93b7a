// Who is told what happens on a ModelShelf: so that others can see which models a process holds.
#pragma once

#include <cstdint>
#include <filesystem>

namespace tinyarms::tiers {

struct ShelvedModel {
  std::filesystem::path file{};
  uint32_t context_tokens = 0;
  uint64_t bytes = 0;  // planned: weights, key-value memory and what computing takes
  double load_seconds = 0;
  bool kept = false;  // pinned
};

// Called on any thread, also while the shelf is locked: it must not call back. `id` tells the loads
// of one shelf apart.
class ShelfWatcher {
 public:
  virtual ~ShelfWatcher() = default;
  virtual void loaded(uint64_t id, const ShelvedModel& model) = 0;
  virtual void lent(uint64_t id) = 0;
  virtual void given_back(uint64_t id) = 0;
  virtual void put_away(uint64_t id) = 0;  // its memory is free
};

}  // namespace tinyarms::tiers
