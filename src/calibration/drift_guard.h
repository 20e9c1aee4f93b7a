// "Is the promise still kept?", asked after every outcome, for ever: an e-process for the null
// hypothesis that each kept answer is wrong with a chance of at most α, whatever came before it.
//
// A bet on an answer being wrong with chance q > α multiplies the stake by q/α where it was wrong
// and by (1 − q)/(1 − α) where it was right. While the null holds, no bet gains in expectation, so
// the wealth of any mixture of bets is a non-negative supermartingale, and by Ville's inequality
// (1939) it ever reaches 1/δ with a probability of at most δ: the alarm may be looked at after each
// outcome without spending anything. Method: testing by betting (Shafer 2021; Waudby-Smith & Ramdas
// 2024, "Estimating means of bounded random variables by betting").
//
// The mixture is over q (a grid, evenly) and over when the bet begins (at outcome j with weight
// 1/(j(j+1)), which sum to 1): a long good stretch, in which a bet from the start would have lost
// all it had, then costs a late change only a factor of about j. Stakes not yet placed are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tinyarms::calibration {

struct DriftTarget {
  double alpha = 0.1;   // (0, 1): the promised share of wrong answers
  double delta = 0.05;  // (0, 1): chance of a false alarm, over all time
};

// Not thread-safe. O(1) memory and time an outcome.
class DriftGuard {
 public:
  explicit DriftGuard(DriftTarget target);

  void observe(bool wrong);

  // Evidence against the promise: the wealth that began as 1. May be looked at at any time.
  double e_value() const;
  // Wealth never gives an alarm back: once reached, it stays.
  bool alarmed() const { return alarm_.has_value(); }
  std::optional<size_t> alarm() const { return alarm_; }  // outcomes seen when it was raised
  size_t seen() const { return seen_; }
  size_t wrong() const { return wrong_; }
  const DriftTarget& target() const { return target_; }

 private:
  DriftTarget target_;
  std::vector<double> rates_;   // the q of each bet
  std::vector<double> wealth_;  // placed by each bet so far, its share of the mixture included
  size_t seen_ = 0;
  size_t wrong_ = 0;
  std::optional<size_t> alarm_;
};

// What the guard is worth, by simulation: streams of independent outcomes.
struct DriftSimulation {
  DriftTarget target{};
  double rate_before = 0.05;
  double rate_after = 0.15;
  size_t change_at = 500;  // outcomes before the change
  size_t length = 3000;    // of a stream
  size_t runs = 1000;
  uint64_t seed = 1;
};

struct DriftReport {
  size_t runs = 0;
  size_t false_alarms = 0;  // before the change
  size_t found = 0;         // after it, of the streams without a false alarm
  double delay_median = 0;  // outcomes from the change to the alarm
  double delay_q95 = 0;     // +inf where more than 5 % were not found
};

DriftReport simulate_drift(const DriftSimulation& simulation);

}  // namespace tinyarms::calibration
