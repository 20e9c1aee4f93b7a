#include "service/settings_size.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace tinyarms::service {
namespace {

struct Unit {
  std::string_view name;
  uint64_t bytes;
};

constexpr Unit kUnits[] = {
    {"TiB", uint64_t{1} << 40}, {"TB", 1000000000000}, {"GiB", uint64_t{1} << 30},
    {"GB", 1000000000},         {"MiB", uint64_t{1} << 20}, {"MB", 1000000},
    {"KiB", uint64_t{1} << 10}, {"kB", 1000},          {"B", 1},
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::optional<uint64_t> unit_bytes(std::string_view name) {
  if (name.empty()) return 1;
  for (const Unit& unit : kUnits) {
    bool same = unit.name.size() == name.size();
    for (size_t i = 0; same && i < name.size(); ++i) same = lower(unit.name[i]) == lower(name[i]);
    if (same) return unit.bytes;
  }
  return std::nullopt;
}

Error not_a_size(std::string what) {
  return Error{ErrorCode::InvalidArgument, std::move(what), "",
               "write a number and a unit, such as 2.5GB, 7.2GiB or 512MiB"};
}

}  // namespace

Result<uint64_t> parse_size(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  // `fixed` keeps exponents out: "1e" of "1eB" would be a riddle.
  auto [rest, problem] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (problem != std::errc() || !std::isfinite(number)) return not_a_size("is not a size");
  if (number < 0) return not_a_size("a size cannot be negative");
  std::string_view unit(rest, static_cast<size_t>(end - rest));
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  const auto factor = unit_bytes(unit);
  if (!factor) return not_a_size("has no unit of size that is known");
  const double bytes = number * static_cast<double>(*factor);
  constexpr double kTooMuch = 9223372036854775808.0;  // 2^63
  if (bytes >= kTooMuch) return not_a_size("is more than any machine has");
  // A plain count of bytes may need more digits than a double holds.
  uint64_t exact = 0;
  auto [exact_rest, not_exact] = std::from_chars(text.data(), rest, exact);
  if (not_exact == std::errc() && exact_rest == rest) return exact * *factor;
  return static_cast<uint64_t>(bytes);
}

std::string format_size(uint64_t bytes) {
  std::string shortest;
  for (const Unit& unit : kUnits) {
    if (bytes < unit.bytes) continue;
    const double number = static_cast<double>(bytes) / static_cast<double>(unit.bytes);
    std::string text = fmt::format("{}{}", number, unit.name);
    auto again = parse_size(text);
    const bool exact = again && *again == bytes;
    if (exact && (shortest.empty() || text.size() < shortest.size())) shortest = std::move(text);
  }
  return shortest.empty() ? fmt::format("{}B", bytes) : shortest;
}

}  // namespace tinyarms::service
