#include "cascade/level.h"

namespace tinyarms::cascade {

std::string_view level_name(Level level) {
  switch (level) {
    case Level::L0: return "l0";
    case Level::L1: return "l1";
    case Level::L2: return "l2";
    case Level::L3: return "l3";
    case Level::L4: return "l4";
  }
  return "l0";
}

std::optional<Level> parse_level(std::string_view name) {
  for (Level level : kLevels) {
    if (level_name(level) == name) return level;
  }
  return std::nullopt;
}

}  // namespace tinyarms::cascade
