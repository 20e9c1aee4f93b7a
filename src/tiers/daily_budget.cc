#include "tiers/daily_budget.h"

#include <fmt/format.h>

#include <cmath>

namespace tinyarms::tiers {
namespace {

constexpr double kDaySeconds = 24 * 3600;

// The next midnight UTC: days of Unix time are all equally long.
double end_of_day(double wall_seconds) {
  return (std::floor(wall_seconds / kDaySeconds) + 1) * kDaySeconds;
}

}  // namespace

DailyBudget::DailyBudget(std::filesystem::path file, double dollars_a_day, const Clock& clock)
    : file_(std::move(file)), limit_(dollars_a_day), clock_(clock) {}

DailyBudget::Hold::~Hold() {
  if (budget_ != nullptr) budget_->settle(number_, paid_);
}

Result<storage::Spending*> DailyBudget::book() {
  if (!book_) {
    auto opened = storage::Spending::open(file_, clock_);
    if (!opened) return opened.error().wrap("the day's budget cannot be counted");
    book_ = std::move(*opened);
  }
  return book_.get();
}

Result<DailyBudget::Hold> DailyBudget::hold(double dollars_at_most) {
  const std::lock_guard lock(mutex_);
  auto book = this->book();
  if (!book) return book.error();
  auto number = (*book)->hold(dollars_at_most, limit_);
  if (number) return Hold(this, *number);
  if (number.error().code != ErrorCode::OverBudget) {
    book_.reset();  // it may have been set aside: the next question opens it anew
    return number.error().wrap("the day's budget cannot be counted");
  }
  if (const auto day = (*book)->today(); day && day->spent >= limit_) {
    spent_until_ = end_of_day(clock_.wall_seconds());
  }
  return number.error();
}

// What cannot be written stays held, and counts so.
void DailyBudget::settle(int64_t number, double dollars) {
  const std::lock_guard lock(mutex_);
  auto book = this->book();
  if (book && !(*book)->settle(number, dollars)) book_.reset();
}

std::optional<std::string> DailyBudget::spent() const {
  const std::lock_guard lock(mutex_);
  if (clock_.wall_seconds() >= spent_until_) return std::nullopt;
  return "the day's budget is spent (l4.budget_per_day; a new day begins at midnight UTC)";
}

std::string DailyBudget::describe() {
  const std::lock_guard lock(mutex_);
  auto book = this->book();
  if (!book) return "";
  const auto day = (*book)->today();
  if (!day) return "";
  return fmt::format("{:.4f} of {:.4f} US dollars on {} (UTC)", day->total(), limit_, day->day);
}

}  // namespace tinyarms::tiers
