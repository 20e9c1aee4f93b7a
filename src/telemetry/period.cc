#include "telemetry/period.h"

#include <fmt/format.h>

#include <charconv>

namespace tinyarms::telemetry {

Result<double> parse_period(std::string_view text) {
  const Error wrong{ErrorCode::InvalidArgument, fmt::format("`{}` is no length of time", text), "",
                    "a number and s, m, h, d or w: 30m, 24h, 7d"};
  uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || number == 0 || end - read.ptr != 1) return wrong;
  switch (*read.ptr) {
    case 's': return number * 1.0;
    case 'm': return number * 60.0;
    case 'h': return number * 3600.0;
    case 'd': return number * 86400.0;
    case 'w': return number * 604800.0;
    default: return wrong;
  }
}

}  // namespace tinyarms::telemetry
