// What was forecast against what happened: the reliability diagram of each tier's confidence, over
// the answers whose outcome was told.
#pragma once

#include <span>
#include <vector>

#include "telemetry/counted.h"

namespace tinyarms::telemetry {

struct OutcomeBin {
  double low = 0;
  double high = 1;
  size_t count = 0;
  double forecast = 0;       // mean confidence
  double observed = 0;       // share that was right
  double observed_low = 0;   // Clopper–Pearson, 95 %
  double observed_high = 1;
};

struct TierOutcomes {
  size_t tier = 0;
  size_t outcomes = 0;
  size_t right = 0;
  size_t calibrated = 0;  // of the confidences
  double brier = 0;
  double ece = 0;  // over these bins
  std::vector<OutcomeBin> bins{};  // of equal width, those with answers
};

// Tiers with at least one told outcome of an answer that had a confidence.
std::vector<TierOutcomes> outcomes_of(std::span<const Counted> decisions);

}  // namespace tinyarms::telemetry
