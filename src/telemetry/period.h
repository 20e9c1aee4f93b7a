// Lengths of time as people type them: "90s", "30m", "24h", "7d", "2w".
#pragma once

#include <string_view>

#include "base/result.h"

namespace tinyarms::telemetry {

// Seconds. Errors: InvalidArgument.
Result<double> parse_period(std::string_view text);

}  // namespace tinyarms::telemetry
