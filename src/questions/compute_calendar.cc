// Dates, clocks and Unix time. The calendar is the Gregorian one, from its first full year on;
// Unix time knows no leap seconds (POSIX.1-2017, 4.16).
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "base/ascii.h"
#include "questions/computation.h"
#include "questions/scan.h"

namespace tinyarms::questions {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr int kYearMin = 1583;
constexpr int kYearMax = 9999;
constexpr int64_t kDaySeconds = 86400;
constexpr const char* kMonths[] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr const char* kWeekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                     "Thursday", "Friday", "Saturday"};

std::optional<unsigned> read_month(std::string_view word) {
  const std::string name = lowered(word);
  for (unsigned i = 0; i < 12; ++i) {
    const std::string full = lowered(kMonths[i]);
    if (name == full || (name.size() == 3 && full.substr(0, 3) == name)) return i + 1;
  }
  return name == "sept" ? std::optional<unsigned>(9) : std::nullopt;
}

std::optional<int> read_year(std::string_view text) {
  const auto year = scan_number(text, kYearMax);
  if (!year || *year < kYearMin) return std::nullopt;
  return static_cast<int>(*year);
}

std::optional<sys_days> make_date(int year, unsigned month, int64_t day) {
  const year_month_day date{std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(static_cast<unsigned>(day))};
  return date.ok() ? std::optional<sys_days>(date) : std::nullopt;
}

// "2024-02-29", "29 February 2024", "February 29, 2024", "29th of Feb 2024". Never 02/03/2024,
// which two halves of the world read differently.
std::optional<sys_days> read_date(const std::string& text) {
  const auto dashes = split(text, '-');
  if (dashes.size() == 3) {
    const auto year = read_year(dashes[0]);
    const auto month = scan_number(dashes[1], 12);
    const auto day = scan_number(dashes[2], 31);
    const bool form = dashes[1].size() == 2 && dashes[2].size() == 2;
    if (!year || !month || !day || !form) return std::nullopt;
    return make_date(*year, static_cast<unsigned>(*month), *day);
  }
  std::vector<std::string> words;
  for (std::string_view word : split(text, ' ')) {
    if (!word.empty() && word.back() == ',') word.remove_suffix(1);
    if (word.empty() || lowered(word) == "of" || lowered(word) == "the") continue;
    words.emplace_back(word);
  }
  if (words.size() != 3) return std::nullopt;
  size_t at = 0;
  auto month = read_month(words[0]);
  if (month) at = 1;
  if (!month) month = read_month(words[1]);
  std::string day_text = words[at];
  if (day_text.size() > 2) {
    const std::string ending = lowered(day_text.substr(day_text.size() - 2));
    const bool ordinal = ending == "st" || ending == "nd" || ending == "rd" || ending == "th";
    if (ordinal) day_text.resize(day_text.size() - 2);
  }
  const auto day = scan_number(day_text, 31);
  const auto year = read_year(words[2]);
  if (!month || !day || !year) return std::nullopt;
  return make_date(*year, *month, *day);
}

std::string show(sys_days day) {
  const year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string weekday_of(sys_days day) {
  return kWeekdays[std::chrono::weekday(day).c_encoding()];
}

bool in_range(sys_days day) {
  const int year = static_cast<int>(year_month_day(day).year());
  return year >= kYearMin && year <= kYearMax;
}

std::string clock(int64_t seconds) {
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

// Seconds up to 11 digits, or milliseconds of exactly 13.
std::optional<Variables> epoch_to_utc(const ComputationInput& input) {
  const std::string text = input.get("value");
  const bool milliseconds = text.size() == 13;
  if (text.size() > 11 && !milliseconds) return std::nullopt;
  const auto value = scan_number(text, 9'999'999'999'999);
  if (!value) return std::nullopt;
  const int64_t seconds = milliseconds ? *value / 1000 : *value;
  const sys_days day{days(seconds / kDaySeconds)};
  if (!in_range(day)) return std::nullopt;
  const std::string fraction = milliseconds ? fmt::format(".{:03}", *value % 1000) : "";
  return Variables{{"value", text},
                   {"unit", milliseconds ? "ms" : "s"},
                   {"date", show(day) + " " + clock(seconds % kDaySeconds) + fraction + " UTC"},
                   {"weekday", weekday_of(day)}};
}

// "12:30" or "12:30:15" as seconds of the day.
std::optional<int64_t> read_clock(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3 || parts[0].size() > 2) return std::nullopt;
  int64_t seconds = 0;
  for (size_t i = 0; i < 3; ++i) {
    const auto part = i < parts.size() ? scan_number(parts[i], i == 0 ? 23 : 59)
                                       : std::optional<int64_t>(0);
    if (!part || (i > 0 && i < parts.size() && parts[i].size() != 2)) return std::nullopt;
    seconds = seconds * 60 + *part;
  }
  return seconds;
}

std::optional<Variables> utc_to_epoch(const ComputationInput& input) {
  const auto day = read_date(input.get("date"));
  const std::string time = input.get("time");
  const auto seconds = time.empty() ? std::optional<int64_t>(0) : read_clock(time);
  if (!day || !seconds) return std::nullopt;
  const int64_t epoch = day->time_since_epoch().count() * kDaySeconds + *seconds;
  return Variables{{"date", show(*day) + " " + clock(*seconds) + " UTC"},
                   {"epoch", std::to_string(epoch)}};
}

std::optional<Variables> weekday(const ComputationInput& input) {
  const auto day = read_date(input.get("date"));
  if (!day) return std::nullopt;
  return Variables{{"date", show(*day)}, {"weekday", weekday_of(*day)}};
}

std::optional<Variables> leap_year(const ComputationInput& input) {
  const auto year = read_year(input.get("year"));
  if (!year) return std::nullopt;
  const char* why = *year % 400 == 0   ? "Yes: {} is a leap year (divisible by 400)"
                    : *year % 100 == 0 ? "No: {} is not a leap year (divisible by 100, not by 400)"
                    : *year % 4 == 0   ? "Yes: {} is a leap year (divisible by 4, not by 100)"
                                       : "No: {} is not a leap year (not divisible by 4)";
  return Variables{{"year", std::to_string(*year)},
                   {"verdict", fmt::format(fmt::runtime(why), *year)}};
}

std::optional<Variables> days_between(const ComputationInput& input) {
  const auto from = read_date(input.get("from"));
  const auto to = read_date(input.get("to"));
  if (!from || !to) return std::nullopt;
  const int64_t count = std::abs((*to - *from).count());
  return Variables{{"from", show(*from)},
                   {"to", show(*to)},
                   {"days", fmt::format("{} day{}", count, count == 1 ? "" : "s")}};
}

std::optional<Variables> shift_date(const ComputationInput& input) {
  const auto day = read_date(input.get("date"));
  const auto count = scan_number(input.get("count"), 1'000'000);
  if (!day || !count) return std::nullopt;
  const bool weeks = lowered(input.get("unit")).substr(0, 4) == "week";
  const std::string direction = lowered(input.get("direction"));
  const bool back = direction == "before" || direction == "earlier than" || direction == "prior to";
  const int64_t shift = *count * (weeks ? 7 : 1) * (back ? -1 : 1);
  const sys_days result = *day + days(shift);
  if (!in_range(result)) return std::nullopt;
  return Variables{{"date", show(*day)}, {"result", show(result)}, {"weekday", weekday_of(result)}};
}

std::optional<Variables> day_of_year(const ComputationInput& input) {
  const auto day = read_date(input.get("date"));
  if (!day) return std::nullopt;
  const sys_days first{year_month_day(*day).year() / 1 / 1};
  return Variables{{"date", show(*day)}, {"number", std::to_string((*day - first).count() + 1)}};
}

// ISO 8601: week 1 holds the year's first Thursday.
std::optional<Variables> iso_week(const ComputationInput& input) {
  const auto day = read_date(input.get("date"));
  if (!day) return std::nullopt;
  const auto iso = static_cast<int>(std::chrono::weekday(*day).iso_encoding());
  const sys_days thursday = *day + days(4 - iso);
  const auto year = year_month_day(thursday).year();
  const auto week = (thursday - sys_days{year / 1 / 1}).count() / 7 + 1;
  return Variables{{"date", show(*day)},
                   {"week", fmt::format("{:04}-W{:02}-{}", static_cast<int>(year), week, iso)}};
}

std::optional<Variables> days_in_month(const ComputationInput& input) {
  const auto month = read_month(input.get("month"));
  const std::string year_text = input.get("year");
  if (!month) return std::nullopt;
  if (year_text.empty() && *month == 2) return std::nullopt;  // it depends
  const auto year = year_text.empty() ? std::optional<int>(2001) : read_year(year_text);
  if (!year) return std::nullopt;
  const std::chrono::year_month_day_last last{
      std::chrono::year(*year), std::chrono::month_day_last(std::chrono::month(*month))};
  std::string name = kMonths[*month - 1];
  if (!year_text.empty()) name += " " + year_text;
  return Variables{{"name", name},
                   {"days", std::to_string(static_cast<unsigned>(last.day()))}};
}

std::optional<Variables> clock_24(const ComputationInput& input) {
  const auto hour = scan_number(input.get("hour"), 12);
  const std::string minute = input.get("minute").empty() ? "00" : input.get("minute");
  const auto minutes = scan_number(minute, 59);
  if (!hour || *hour == 0 || !minutes || minute.size() != 2) return std::nullopt;
  const bool afternoon = lowered(input.get("half"))[0] == 'p';
  const int64_t result = *hour % 12 + (afternoon ? 12 : 0);
  return Variables{{"time", fmt::format("{}:{} {}", *hour, minute, afternoon ? "p.m." : "a.m.")},
                   {"result", fmt::format("{:02}:{}", result, minute)}};
}

std::optional<Variables> clock_12(const ComputationInput& input) {
  const auto seconds = read_clock(input.get("time"));
  if (!seconds) return std::nullopt;
  const int64_t hour = *seconds / 3600;
  return Variables{{"time", input.get("time")},
                   {"result", fmt::format("{}:{:02} {}", hour % 12 == 0 ? 12 : hour % 12,
                                          *seconds / 60 % 60, hour < 12 ? "a.m." : "p.m.")}};
}

std::optional<Variables> seconds_to_clock(const ComputationInput& input) {
  const auto seconds = scan_number(input.get("value"), 359'999);
  if (!seconds) return std::nullopt;
  return Variables{{"value", input.get("value")}, {"clock", clock(*seconds)}};
}

}  // namespace

const std::vector<Computation>& calendar_computations() {
  static const std::vector<Computation> kComputations = {
      {"epoch-to-utc", false, {"value"}, {"unit", "date", "weekday"}, epoch_to_utc},
      {"utc-to-epoch", false, {"date"}, {"epoch"}, utc_to_epoch},
      {"weekday", false, {"date"}, {"weekday"}, weekday},
      {"leap-year", false, {"year"}, {"verdict"}, leap_year},
      {"days-between", false, {"from", "to"}, {"days"}, days_between},
      {"shift-date", false, {"date", "count", "unit", "direction"}, {"result", "weekday"},
       shift_date},
      {"day-of-year", false, {"date"}, {"number"}, day_of_year},
      {"iso-week", false, {"date"}, {"week"}, iso_week},
      {"days-in-month", false, {"month"}, {"name", "days"}, days_in_month},
      {"clock-24", false, {"hour", "half"}, {"time", "result"}, clock_24},
      {"clock-12", false, {"time"}, {"result"}, clock_12},
      {"seconds-to-clock", false, {"value"}, {"clock"}, seconds_to_clock},
  };
  return kComputations;
}

}  // namespace tinyarms::questions
