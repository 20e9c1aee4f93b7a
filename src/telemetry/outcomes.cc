#include "telemetry/outcomes.h"

#include <algorithm>
#include <cmath>

#include "calibration/reliability.h"
#include "calibration/special_functions.h"

namespace tinyarms::telemetry {
namespace {

constexpr size_t kBins = 10;
constexpr double kCoverage = 0.95;

TierOutcomes outcomes_of_tier(size_t tier, std::vector<calibration::Scored> items) {
  TierOutcomes made{.tier = tier, .outcomes = items.size()};
  calibration::sort_by_score(items);
  made.brier = calibration::brier_score(items);
  for (const calibration::Scored& item : items) made.right += item.outcome > 0.5 ? 1 : 0;
  const auto bins =
      calibration::reliability_of_sorted(items, kBins, calibration::Binning::EqualWidth);
  made.ece = calibration::expected_calibration_error(bins);
  for (const calibration::ReliabilityBin& bin : bins) {
    const auto right =
        static_cast<uint64_t>(std::llround(bin.observed * static_cast<double>(bin.count)));
    const auto interval =
        calibration::clopper_pearson({std::min<uint64_t>(right, bin.count), bin.count}, kCoverage);
    made.bins.push_back({.low = bin.low,
                         .high = bin.high,
                         .count = bin.count,
                         .forecast = bin.mean_forecast,
                         .observed = bin.observed,
                         .observed_low = interval.low,
                         .observed_high = interval.high});
  }
  return made;
}

}  // namespace

std::vector<TierOutcomes> outcomes_of(std::span<const Counted> decisions) {
  std::array<std::vector<calibration::Scored>, kTiers> items;
  std::array<size_t, kTiers> calibrated{};
  for (const Counted& decision : decisions) {
    for (const CountedStep& step : decision.steps) {
      if (!step.good || !step.confidence || !(*step.confidence <= 1)) continue;
      items[step.tier].push_back({.score = *step.confidence, .outcome = *step.good ? 1.0 : 0.0});
      calibrated[step.tier] += step.calibrated ? 1 : 0;
    }
  }
  std::vector<TierOutcomes> all;
  for (size_t tier = 0; tier < kTiers; ++tier) {
    if (items[tier].empty()) continue;
    all.push_back(outcomes_of_tier(tier, std::move(items[tier])));
    all.back().calibrated = calibrated[tier];
  }
  return all;
}

}  // namespace tinyarms::telemetry
