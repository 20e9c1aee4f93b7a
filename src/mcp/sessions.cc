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
  std::map<std::string_view, size_t> counts;
  for (const auto& [id, session] : sessions_) ++counts[session.owner];
  const auto before = [&](const auto& a, const auto& b) {
    const size_t of_a = counts[a.second.owner];
    const size_t of_b = counts[b.second.owner];
    return of_a != of_b ? of_a > of_b : a.second.used_at < b.second.used_at;
  };
  const auto goes = std::min_element(sessions_.begin(), sessions_.end(), before);
  if (goes != sessions_.end()) sessions_.erase(goes);
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
