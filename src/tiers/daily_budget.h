// What the remote tier may cost a day, in money. Before a question goes out the most that it may
// cost is held; afterwards what it did cost takes its place. Without a price, or where nothing can
// be counted, no question goes out: a budget that cannot be kept is not passed over.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "storage/spending.h"

namespace tinyarms::tiers {

// Thread-safe: one mutex, held while the file is read or written.
class DailyBudget {
 public:
  // `file`: opened at the first question. `clock` outlives it.
  DailyBudget(std::filesystem::path file, double dollars_a_day, const Clock& clock);

  // Money held for one question. Settled with what was paid, or with nothing where nobody says so.
  class Hold {
   public:
    Hold(Hold&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)),
          number_(other.number_),
          paid_(other.paid_) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold();
    void pay(double dollars) { paid_ += dollars; }

   private:
    friend class DailyBudget;
    Hold(DailyBudget* budget, int64_t number) : budget_(budget), number_(number) {}
    DailyBudget* budget_;
    int64_t number_;
    double paid_ = 0;
  };

  // Errors: OverBudget (the day's money is spent, or could be by this one), Io, Unavailable.
  Result<Hold> hold(double dollars_at_most);

  // Where the day's money is spent, as far as questions before have shown: one sentence. Reads
  // nothing.
  std::optional<std::string> spent() const;

  // "0.1234 of 1.0000 US dollars on 2026-11-29 (UTC)"; empty where it cannot be read.
  std::string describe();

 private:
  Result<storage::Spending*> book();  // with the lock held
  void settle(int64_t number, double dollars);

  const std::filesystem::path file_;
  const double limit_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::unique_ptr<storage::Spending> book_;
  double spent_until_ = 0;  // wall seconds: the end of a day whose money is spent
};

}  // namespace tinyarms::tiers
