// Isotonic regression by pooling adjacent violators (Ayer et al. 1955): the non-decreasing step
// fit with the least weighted squared error, kept as knots and read by linear interpolation.
// Where the definitions agree it equals the UCCI crate's (docs/calibration-method.md).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"
#include "calibration/scored.h"

namespace tinyarms::calibration {

// The fit to values with positive weights, one value an input. Linear time.
std::vector<double> pool_adjacent_violators(std::span<const double> values,
                                            std::span<const double> weights);

struct IsotonicFit {
  std::vector<double> x{};  // ascending
  std::vector<double> y{};  // non-decreasing, as many
  size_t records = 0;       // of positive weight

  // Constant beyond the ends; `score` is finite.
  double operator()(double score) const;
};

// Any finite scores, outcomes in [0, 1], weights ≥ 0 (0: left out). Scores closer than 1e-15 are
// one. Errors: InvalidArgument where an item is not like that, or nothing has weight.
Result<IsotonicFit> fit_isotonic(std::span<const Scored> items);

}  // namespace tinyarms::calibration
