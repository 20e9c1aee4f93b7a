// Calibrators of one score: each turns it into P(right), strictly inside (0, 1), so that no answer
// is ever beyond doubt or beyond hope (a threshold can always ask for more).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calibration/isotonic.h"
#include "calibration/scored.h"
#include "calibration/special_functions.h"

namespace tinyarms::calibration {

// σ(logit(score) / temperature), the score being a probability (Guo et al. 2017).
struct TemperatureMap {
  double temperature = 1;  // > 0
  double operator()(double score) const;
};

// σ(slope · score + intercept) (Platt 1999, with his smoothed targets).
struct PlattMap {
  double slope = 0;
  double intercept = 0;
  double operator()(double score) const;
};

// σ(a·ln s − b·ln(1 − s) + c), a, b ≥ 0 (Kull et al. 2017), the score s being a probability.
struct BetaMap {
  double a = 1;
  double b = 1;
  double c = 0;
  double operator()(double score) const;
};

// Isotonic fit, kept in [1 / (n + 2), 1 − 1 / (n + 2)]. `rising` false: of the score's negative.
struct IsotonicMap {
  IsotonicFit fit{};
  bool rising = true;
  double operator()(double score) const;
};

// Bins of about equal mass; in each (right + ½) / (trials + 1), and exact bounds that hold for all
// bins at once with probability ≥ `confidence` (Clopper–Pearson, shared out evenly).
struct HistogramMap {
  struct Bin {
    double high = 0;  // right end, closed; the last one's is not looked at
    uint64_t right = 0;
    uint64_t trials = 0;
  };
  std::vector<Bin> bins{};
  double confidence = 0.95;

  double operator()(double score) const { return value(bin_of(score)); }
  Interval bounds(double score) const;

 private:
  const Bin& bin_of(double score) const;
  static double value(const Bin& bin);
};

// All fits: items of both classes with finite scores; temperature and beta: in [0, 1].
TemperatureMap fit_temperature(std::span<const Scored> items);
PlattMap fit_platt(std::span<const Scored> items);
BetaMap fit_beta(std::span<const Scored> items);
IsotonicMap fit_isotonic_map(std::span<const Scored> items);
HistogramMap fit_histogram(std::span<const Scored> items, size_t bins);

}  // namespace tinyarms::calibration
