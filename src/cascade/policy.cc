#include "cascade/policy.h"

#include <fmt/format.h>

namespace tinyarms::cascade {

ThresholdPolicy::ThresholdPolicy(const Estimator& estimator, std::map<Level, double> defaults)
    : estimator_(estimator), defaults_(std::move(defaults)) {}

double ThresholdPolicy::threshold_for(const Request& request, Level level) const {
  if (auto own = request.level_thresholds.find(level); own != request.level_thresholds.end()) {
    return own->second;
  }
  if (request.threshold) return *request.threshold;
  if (auto known = defaults_.find(level); known != defaults_.end()) return known->second;
  return 0.5;
}

Verdict ThresholdPolicy::judge(const Request& request, Level level, const Attempt& attempt) const {
  Verdict verdict;
  verdict.confidence = estimator_.estimate(level, attempt);
  verdict.threshold = threshold_for(request, level);
  verdict.accept = verdict.confidence.value >= verdict.threshold;
  verdict.reason =
      fmt::format("confidence {:.3f} {} threshold {:.3f} ({}; {})", verdict.confidence.value,
                  verdict.accept ? "reaches" : "is below", verdict.threshold,
                  verdict.confidence.calibrated ? "calibrated" : "uncalibrated",
                  verdict.confidence.formula);
  return verdict;
}

}  // namespace tinyarms::cascade
