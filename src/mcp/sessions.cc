#include "mcp/sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <random>

namespace tinyarms::mcp {

std::string Sessions::open(const std::string& owner) {
  std::random_device chance;
  std::string id;
  for (int i = 0; i < 4; ++i) id += fmt::format("{:08x}", static_cast<uint32_t>(chance()));
  const std::lock_guard lock(mutex_);
  make_room();
  sessions_[id] = {owner, clock_.monotonic_seconds()};
  return id;
}

void Sessions::make_room() {
  if (sessions_.size() < sessions_max_) return;
  const auto quiet = std::min_element(
      sessions_.begin(), sessions_.end(),
      [](const auto& a, const auto& b) { return a.second.used_at < b.second.used_at; });
  if (quiet != sessions_.end()) sessions_.erase(quiet);
}

bool Sessions::use(std::string_view id, const std::string& owner) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second.owner != owner) return false;
  found->second.used_at = clock_.monotonic_seconds();
  return true;
}

bool Sessions::close(std::string_view id, const std::string& owner) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || found->second.owner != owner) return false;
  sessions_.erase(found);
  return true;
}

}  // namespace tinyarms::mcp
