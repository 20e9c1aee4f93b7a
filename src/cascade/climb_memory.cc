#include "cascade/climb_memory.h"

#include <algorithm>
#include <bit>

namespace tinyarms::cascade {
namespace {

constexpr size_t kGroupsMax = 256;
static_assert(ClimbMemory::kRemembered < 32);
constexpr uint32_t kMask = (1u << ClimbMemory::kRemembered) - 1;

}  // namespace

void ClimbMemory::add(Level level, const std::string& group, bool climbed) {
  const std::lock_guard lock(mutex_);
  const std::pair key(level, group);
  if (lately_.size() >= kGroupsMax && !lately_.contains(key)) return;
  Lately& lately = lately_[key];
  lately.climbs = ((lately.climbs << 1) | (climbed ? 1u : 0u)) & kMask;
  lately.judged = std::min(lately.judged + 1, kRemembered);
}

ClimbMemory::Share ClimbMemory::share(Level level, const std::string& group) const {
  const std::lock_guard lock(mutex_);
  const auto found = lately_.find({level, group});
  if (found == lately_.end()) return {};
  return {.climbed = std::popcount(found->second.climbs), .judged = found->second.judged};
}

}  // namespace tinyarms::cascade
