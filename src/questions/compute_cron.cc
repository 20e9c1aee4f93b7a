// Cron expressions explained, and written from words.
#include <fmt/format.h>

#include "base/ascii.h"
#include "questions/computation.h"
#include "questions/cron.h"
#include "questions/scan.h"

namespace tinyarms::questions {
namespace {

std::optional<Variables> explain(const ComputationInput& input) {
  std::string expression = lowered(input.get("expression"));
  struct Shorthand {
    std::string_view name;
    std::string_view fields;
  };
  constexpr Shorthand kShorthands[] = {{"@yearly", "0 0 1 1 *"},  {"@annually", "0 0 1 1 *"},
                                       {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
                                       {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                                       {"@hourly", "0 * * * *"}};
  std::string shown = input.get("expression");
  for (const auto& [name, fields] : kShorthands) {
    if (expression != name) continue;
    expression = fields;
    shown = fmt::format("{} ({})", name, fields);
  }
  const auto schedule = read_cron(expression);
  if (!schedule) return std::nullopt;
  return Variables{{"expression", shown}, {"meaning", explain_cron(*schedule)}};
}

// "every weekday" + 9, 30, "am" → 30 9 * * 1-5.
std::optional<Variables> write(const ComputationInput& input) {
  struct Days {
    std::string_view name;
    std::string_view fields;
  };
  constexpr Days kDays[] = {
      {"every day", "* * *"},          {"daily", "* * *"},           {"each day", "* * *"},
      {"every weekday", "* * 1-5"},    {"weekdays", "* * 1-5"},
      {"monday to friday", "* * 1-5"},
      {"monday through friday", "* * 1-5"},
      {"every weekend", "* * 0,6"},    {"every sunday", "* * 0"},    {"every monday", "* * 1"},
      {"every tuesday", "* * 2"},      {"every wednesday", "* * 3"}, {"every thursday", "* * 4"},
      {"every friday", "* * 5"},       {"every saturday", "* * 6"},
      {"the first of every month", "1 * *"}, {"the first day of every month", "1 * *"},
      {"the 1st of every month", "1 * *"},   {"the first of the month", "1 * *"},
  };
  const std::string half = lowered(input.get("half"));
  std::string hour_text = input.get("hour");
  if (lowered(hour_text) == "midnight") hour_text = "0";
  if (lowered(hour_text) == "noon") hour_text = "12";
  const auto hour = scan_number(hour_text, half.empty() ? 23 : 12);
  const std::string minute_text = input.get("minute").empty() ? "0" : input.get("minute");
  const auto minute = scan_number(minute_text, 59);
  if (!hour || !minute || (!half.empty() && *hour == 0)) return std::nullopt;
  // "at 5" may be morning or afternoon.
  const bool said = !half.empty() || !input.get("minute").empty() || input.get("hour").size() > 2;
  if (!said) return std::nullopt;
  const int64_t hours = half.empty() ? *hour : *hour % 12 + (half[0] == 'p' ? 12 : 0);
  const std::string when = lowered(input.get("days"));
  for (const auto& [name, fields] : kDays) {
    if (when == name) {
      return Variables{{"expression", fmt::format("{} {} {}", *minute, hours, fields)}};
    }
  }
  return std::nullopt;
}

}  // namespace

const std::vector<Computation>& cron_computations() {
  static const std::vector<Computation> kComputations = {
      {"explain-cron", false, {"expression"}, {"meaning"}, explain},
      {"write-cron", false, {"days", "hour"}, {"expression"}, write},
  };
  return kComputations;
}

}  // namespace tinyarms::questions
