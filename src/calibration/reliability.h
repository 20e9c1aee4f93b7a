// Forecast probabilities against observed frequencies: the reliability table, and the expected
// calibration error over it, Σ w_b |mean forecast_b − observed_b| (Naeini et al. 2015).
//
// Bins are closed on the right, the first on both sides. Equal width: edges i/n. Equal mass: edges
// at the linear quantiles of the forecasts, equal edges merged, so that ties share a bin.
// Adaptive: equal mass with the most bins (up to 64) for which the observed frequencies still rise
// (ECE-SWEEP: Roelofs et al. 2022), which takes most of the bias out of the estimate.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"
#include "calibration/scored.h"

namespace tinyarms::calibration {

enum class Binning { EqualWidth, EqualMass, Adaptive };

struct ReliabilityBin {
  double low = 0;
  double high = 1;
  size_t count = 0;  // > 0: empty bins are left out
  double weight = 0;
  double mean_forecast = 0;
  double observed = 0;
};

// Errors: InvalidArgument where there is no item, no bin, or a score or outcome outside [0, 1].
Result<std::vector<ReliabilityBin>> reliability(std::span<const Scored> items, size_t bins,
                                                Binning binning);

double expected_calibration_error(std::span<const ReliabilityBin> bins);

// The table of items known to be sound and sorted.
std::vector<ReliabilityBin> reliability_of_sorted(std::span<const Scored> items, size_t bins,
                                                  Binning binning);

// Σ w (p − y)² / Σ w (Brier 1950); not empty.
double brier_score(std::span<const Scored> items);

}  // namespace tinyarms::calibration
