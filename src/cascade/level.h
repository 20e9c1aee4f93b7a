// The rungs of the cascade, cheapest first.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace tinyarms::cascade {

enum class Level { L0, L1, L2, L3, L4 };

inline constexpr std::array<Level, 5> kLevels = {Level::L0, Level::L1, Level::L2, Level::L3,
                                                 Level::L4};

// "l0" … "l4": the names used in flags, configuration, JSON and the trace.
std::string_view level_name(Level level);
std::optional<Level> parse_level(std::string_view name);

}  // namespace tinyarms::cascade
