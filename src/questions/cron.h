// Cron expressions as POSIX and Vixie cron read them: five fields of numbers, names, lists, ranges
// and steps. Seconds, years, L, W, # and ? belong to other programs and are not read.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::questions {

struct CronField {
  std::vector<int> values;  // sorted, each once; Sunday is 0
  bool every = false;       // written as *
  int step = 0;             // of */step
};

struct CronSchedule {
  // Minute, hour, day of the month, month, day of the week.
  std::array<CronField, 5> fields;
};

// Nothing for what cron would refuse.
std::optional<CronSchedule> read_cron(std::string_view expression);

// When it runs, as a sentence without its end: "at 09:00, on Monday to Friday".
std::string explain_cron(const CronSchedule& schedule);

}  // namespace tinyarms::questions
