// What remote answers cost, day by day, so that a day's budget holds over restarts and between
// processes. Days are UTC: every process agrees on them, and none has 23 or 25 hours. Of questions
// nothing is kept but their number.
//
// Money is held before a question goes out and settled when its cost is known; what is held counts
// as spent, so that questions asked at once cannot go past the limit together. What a killed
// process held stays counted in its day: it may well have been paid.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "storage/database.h"

namespace tinyarms::storage {

struct TokenPrice {  // US dollars a million tokens
  double input = 0;
  double output = 0;

  double of(double input_tokens, double output_tokens) const {
    return (input_tokens * input + output_tokens * output) / 1e6;
  }
};

struct DaySpending {
  std::string day{};     // "2026-11-29"
  double spent = 0;      // US dollars, settled
  double held = 0;       // of questions under way, or of processes that were killed
  int64_t questions = 0;  // settled

  double total() const { return spent + held; }
};

// One thread at a time; any number of processes. All calls: the errors of Database. Amounts that a
// damaged file garbled count as nothing.
class Spending {
 public:
  static Result<std::unique_ptr<Spending>> open(const std::filesystem::path& path,
                                                const Clock& clock);

  // What was set aside to open it, for the user; mostly empty.
  const std::string& notice() const { return notice_; }

  Result<DaySpending> today();

  // Holds up to `dollars` of today's `limit`; the number is for settle(). Errors: OverBudget.
  Result<int64_t> hold(double dollars, double limit);

  // In place of what was held: what it came to, on the day it was held. Nothing where that number
  // is not held any more.
  Result<void> settle(int64_t number, double dollars);

 private:
  Spending(std::unique_ptr<Database> database, std::string notice, const Clock& clock)
      : database_(std::move(database)), notice_(std::move(notice)), clock_(clock) {}

  std::unique_ptr<Database> database_;
  std::string notice_;
  const Clock& clock_;
};

}  // namespace tinyarms::storage
