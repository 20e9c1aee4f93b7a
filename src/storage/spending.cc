#include "storage/spending.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace tinyarms::storage {
namespace {

std::string utc_day(double wall_seconds) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(wall_seconds)));
}

}  // namespace

Result<std::unique_ptr<Spending>> Spending::open(const std::filesystem::path& path,
                                                 const Clock& clock) {
  auto opened = Database::open(path, clock, {.schema = spending_schema()});
  if (!opened) return opened.error();
  return std::unique_ptr<Spending>(
      new Spending(std::move(opened->database), std::move(opened->notice), clock));
}

Result<DaySpending> Spending::today() {
  DaySpending day{.day = utc_day(clock_.wall_seconds())};
  auto rows = database_->prepare(
      "SELECT ifnull((SELECT dollars FROM days WHERE day = ?1), 0), "
      "ifnull((SELECT questions FROM days WHERE day = ?1), 0), "
      "ifnull((SELECT sum(max(dollars, 0)) FROM holds WHERE day = ?1), 0)");
  if (!rows) return rows.error();
  auto row = rows->bind(std::string_view(day.day)).step();
  if (!row) return row.error();
  day.spent = std::max(0.0, rows->real(0));
  day.questions = std::max<int64_t>(0, rows->integer(1));
  day.held = std::max(0.0, rows->real(2));
  return day;
}

Result<int64_t> Spending::hold(double dollars, double limit) {
  auto transaction = Transaction::begin(*database_);
  if (!transaction) return transaction.error();
  auto day = today();
  if (!day) return day.error();
  if (!(day->total() + dollars <= limit)) {
    const bool spent = day->spent >= limit;
    return Error{ErrorCode::OverBudget,
                 fmt::format("the day's budget of the remote tier {}: {:.4f} of {:.4f} US dollars "
                             "are spent on {} (UTC), {:.4f} held for questions under way, and this "
                             "one may cost {:.4f}",
                             spent ? "is spent" : "has no room for this question", day->spent,
                             limit, day->day, day->held, dollars),
                 "", "raise l4.budget_per_day, or wait for midnight UTC"};
  }
  auto insert =
      database_->prepare("INSERT INTO holds (day, dollars) VALUES (?, ?) RETURNING number");
  if (!insert) return insert.error();
  auto row = insert->bind(std::string_view(day->day), dollars).step();
  if (!row) return row.error();
  const int64_t number = insert->integer(0);
  insert->reset();
  if (auto done = transaction->commit(); !done) return done.error();
  return number;
}

Result<void> Spending::settle(int64_t number, double dollars) {
  auto transaction = Transaction::begin(*database_);
  if (!transaction) return transaction.error();
  auto erase = database_->prepare("DELETE FROM holds WHERE number = ? RETURNING day");
  if (!erase) return erase.error();
  auto row = erase->bind(number).step();
  if (!row) return row.error();
  if (!*row) return {};
  const std::string day(erase->text(0));
  erase->reset();
  auto add = database_->prepare(
      "INSERT INTO days (day, dollars, questions) VALUES (?1, ?2, 1) ON CONFLICT (day) DO UPDATE "
      "SET dollars = max(dollars, 0) + ?2, questions = questions + 1");
  if (!add) return add.error();
  auto done = add->bind(std::string_view(day), std::max(0.0, dollars)).run();
  if (!done) return done;
  return transaction->commit();
}

}  // namespace tinyarms::storage
