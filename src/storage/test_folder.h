// For tests: a fresh folder that goes with the test, and a clock cranked by hand.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/temporary_folder.h"

namespace tinyarms::storage {

class TestFolder : public TemporaryFolder {
 public:
  // Names that begin like `prefix`.
  std::vector<std::string> names_like(std::string_view prefix) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path())) {
      const std::string name = entry.path().filename().string();
      if (std::string_view(name).starts_with(prefix)) names.push_back(name);
    }
    return names;
  }
};

class HandClock final : public Clock {
 public:
  double monotonic_seconds() const override { return now; }
  double wall_seconds() const override { return now; }
  double now = 1'700'000'000;  // 2023-11-14T22:13:20Z
};

}  // namespace tinyarms::storage
