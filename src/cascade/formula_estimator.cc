#include "cascade/formula_estimator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tinyarms::cascade {
namespace {

constexpr double kBrokenCodeFactor = 0.5;
constexpr double kCutOffFactor = 0.5;
constexpr double kUndefinedNameFactor = 0.5;
constexpr double kBannedCallFactor = 0.5;
constexpr double kRuleBugFactor = 0.8;
constexpr double kRounding = 1e-6;  // of sums of floats

Confidence confidence(double value, std::string formula) {
  // Broken evidence must never look sure: NaN, and what no probability can be, become 0.
  const bool sound = std::isfinite(value) && value <= 1 + kRounding;
  const double bounded = sound ? std::clamp(value, 0.0, 1.0) : 0.0;
  return {.value = bounded, .calibrated = false, .formula = std::move(formula)};
}

}  // namespace

Confidence FormulaEstimator::estimate(Level, const Attempt& attempt) const {
  const Evidence& evidence = attempt.evidence;
  if (evidence.flag(signal::kExact).value_or(false)) return confidence(1, "exact by construction");

  if (auto similarity = evidence.number(signal::kSimilarity)) {
    const double first = evidence.number(signal::kCachedConfidence).value_or(0);
    return confidence(*similarity * first,
                      fmt::format("similarity {:.3f} × cached {:.3f}", *similarity, first));
  }

  if (auto strength = evidence.number(signal::kPassageStrength)) {
    return confidence(*strength, fmt::format("passage strength {:.3f}", *strength));
  }

  // What cannot be used is wrong, whatever its tokens say.
  if (!evidence.flag(signal::kKeepsToOrder).value_or(true)) {
    return confidence(0, "not what was asked for");
  }

  const auto logprob = evidence.number(signal::kLogprobMean);
  if (!logprob) return confidence(0, "no evidence");
  double value = std::exp(*logprob);
  std::string formula = fmt::format("exp(logprob_mean {:.3f})", *logprob);
  if (!evidence.flag(signal::kCodeParses).value_or(true)) {
    value *= kBrokenCodeFactor;
    formula += fmt::format(" × {} code does not parse", kBrokenCodeFactor);
  }
  const auto hold_against = [&](std::string_view name, double factor, std::string_view what) {
    const double count = evidence.number(name).value_or(0);
    if (!(count > 0)) return;
    value *= factor;
    formula += fmt::format(" × {} {}", factor, what);
  };
  hold_against(signal::kUndefinedNames, kUndefinedNameFactor, "undefined names");
  hold_against(signal::kBannedCalls, kBannedCallFactor, "banned calls");
  hold_against(signal::kRuleBug, kRuleBugFactor, "bugs found by rules");
  if (!evidence.flag(signal::kFinished).value_or(true)) {
    value *= kCutOffFactor;
    formula += fmt::format(" × {} cut off", kCutOffFactor);
  }
  return confidence(value, std::move(formula));
}

}  // namespace tinyarms::cascade
