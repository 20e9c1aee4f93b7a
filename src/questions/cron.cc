#include "questions/cron.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "questions/scan.h"

namespace tinyarms::questions {
namespace {

constexpr int kLeast[] = {0, 0, 1, 1, 0};
constexpr int kMost[] = {59, 23, 31, 12, 7};
constexpr const char* kMonthNames[] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr const char* kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                 "Thursday", "Friday", "Saturday"};

std::optional<int> read_value(std::string_view text, size_t field) {
  if (const auto number = scan_number(text, kMost[field])) {
    if (*number < kLeast[field] || text.size() > 2) return std::nullopt;
    return static_cast<int>(*number);
  }
  if (text.size() != 3) return std::nullopt;
  const std::string name = lowered(text);
  for (int i = 0; field == 3 && i < 12; ++i) {
    if (lowered(kMonthNames[i]).substr(0, 3) == name) return i + 1;
  }
  for (int i = 0; field == 4 && i < 7; ++i) {
    if (lowered(kDays[i]).substr(0, 3) == name) return i;
  }
  return std::nullopt;
}

// One member of a list: *, 5, 1-5, */10, 1-30/5.
bool read_item(std::string_view text, size_t field, CronField& result) {
  const auto halves = split(text, '/');
  if (halves.size() > 2) return false;
  int step = 1;
  if (halves.size() == 2) {
    const auto number = scan_number(halves[1], kMost[field]);
    if (!number || *number == 0) return false;
    step = static_cast<int>(*number);
  }
  int first = kLeast[field];
  int last = field == 4 ? 6 : kMost[field];
  if (halves[0] == "*") {
    if (halves.size() == 2) result.step = step;
  } else {
    const auto ends = split(halves[0], '-');
    const auto low = read_value(ends[0], field);
    const auto high = ends.size() == 2 ? read_value(ends[1], field) : low;
    // "5/10" is read in two ways, and a range that runs backwards in none.
    if (ends.size() > 2 || !low || !high || *low > *high) return false;
    if (ends.size() == 1 && halves.size() == 2) return false;
    first = *low;
    last = *high;
  }
  for (int value = first; value <= last; value += step) {
    result.values.push_back(field == 4 && value == 7 ? 0 : value);
  }
  return true;
}

std::optional<CronField> read_field(std::string_view text, size_t field) {
  CronField result;
  result.every = text == "*";
  const auto items = split(text, ',');
  for (const std::string_view item : items) {
    if (!read_item(item, field, result)) return std::nullopt;
  }
  if (items.size() > 1) {
    // A * among others is legal and says nothing that a person would write.
    if (text.find('*') != text.npos) return std::nullopt;
    result.step = 0;
  }
  std::sort(result.values.begin(), result.values.end());
  result.values.erase(std::unique(result.values.begin(), result.values.end()),
                      result.values.end());
  return result;
}

template <typename Name>
std::string list_of(const std::vector<int>& values, Name name) {
  std::vector<std::string> pieces;
  for (size_t i = 0; i < values.size();) {
    size_t end = i;
    while (end + 1 < values.size() && values[end + 1] == values[end] + 1) ++end;
    if (end >= i + 2) {
      pieces.push_back(fmt::format("{} to {}", name(values[i]), name(values[end])));
      i = end + 1;
    } else {
      pieces.push_back(name(values[i++]));
    }
  }
  std::string text = pieces[0];
  for (size_t i = 1; i < pieces.size(); ++i) {
    text += (i + 1 == pieces.size() ? " and " : ", ") + pieces[i];
  }
  return text;
}

std::string plain(int value) { return std::to_string(value); }
// Only a step that divides the whole keeps its pace over the hour or the day.
bool is_even(const CronField& field, int whole) {
  return field.step > 1 && whole % field.step == 0;
}

std::string explain_time(const CronField& minute, const CronField& hour) {
  if (minute.values.size() == 1 && !hour.every && hour.values.size() <= 4 && hour.step == 0) {
    return "at " + list_of(hour.values, [&](int h) {
             return fmt::format("{:02}:{:02}", h, minute.values[0]);
           });
  }
  std::string text;
  if (minute.every) {
    text = "every minute";
  } else if (is_even(minute, 60)) {
    text = fmt::format("every {} minutes", minute.step);
  } else {
    text = fmt::format("at minute {}", list_of(minute.values, plain));
  }
  if (hour.every) return minute.every || is_even(minute, 60) ? text : text + " of every hour";
  if (is_even(hour, 24)) return text + fmt::format(" of every {} hours from 00:00", hour.step);
  const bool one = hour.values.size() == 1;
  return text + fmt::format(" of the hour{} {}", one ? "" : "s",
                            list_of(hour.values, [](int h) { return fmt::format("{:02}", h); }));
}

}  // namespace

std::optional<CronSchedule> read_cron(std::string_view expression) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split(expression, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.size() != 5) return std::nullopt;
  CronSchedule schedule;
  for (size_t i = 0; i < 5; ++i) {
    auto field = read_field(words[i], i);
    if (!field) return std::nullopt;
    schedule.fields[i] = std::move(*field);
  }
  return schedule;
}

std::string explain_cron(const CronSchedule& schedule) {
  const auto& [minute, hour, day, month, weekday] = schedule.fields;
  std::string text = explain_time(minute, hour);
  const std::string days = "day " + list_of(day.values, plain) + " of the month";
  const std::string weekdays = list_of(weekday.values, [](int d) { return kDays[d]; });
  // Cron runs when either day field fits, if both are restricted; a field that begins with a
  // star counts as unrestricted, and then both must fit (Vixie cron).
  const bool day_star = day.every || day.step > 0;
  const bool weekday_star = weekday.every || weekday.step > 0;
  if (!day.every && !weekday.every) {
    const bool both = day_star || weekday_star;
    text += fmt::format(", on {} {} on {}", days, both ? "if it is also" : "and also", weekdays);
  } else if (!day.every) {
    text += ", on " + days;
  } else if (!weekday.every) {
    text += ", on " + weekdays;
  } else {
    text += ", every day";
  }
  if (!month.every) {
    text += ", in " + list_of(month.values, [](int m) { return kMonthNames[m - 1]; });
  }
  return text;
}

}  // namespace tinyarms::questions
