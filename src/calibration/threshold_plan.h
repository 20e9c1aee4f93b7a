// Thresholds for all tiers of a cascade at once: a question stops at the first tier whose P(right)
// reaches its threshold; the last tier answers whatever arrives.
//
// For a price μ of one right answer the thresholds minimise mean cost − μ · accuracy, by coordinate
// descent: with the others fixed, the best threshold of a tier is found exactly among all distinct
// probabilities, in one pass over the presorted rows. Sweeping μ gives the corners of the frontier,
// scanning each tier's thresholds around them the plans between; exact for two tiers, close to it
// for more (tested against all combinations). O(rows · tiers) a pass.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "calibration/metrics.h"
#include "calibration/special_functions.h"

namespace tinyarms::calibration {

// Column-wise: of every tier, cheapest first, all of one length.
struct CascadeOutcomes {
  std::vector<std::vector<double>> probability{};  // one fewer than tiers: the last has no choice
  std::vector<std::vector<double>> right{};        // 1 or 0
  std::vector<std::vector<double>> cost{};         // of running that tier, swapping it in included

  size_t tiers() const { return right.size(); }
  size_t rows() const { return right.empty() ? 0 : right[0].size(); }
  CascadeOutcomes subset(std::span<const size_t> rows) const;
};

struct Plan {
  // A tier's answer is kept where its P(right) ≥ threshold; +inf: never, 0: always.
  std::vector<double> thresholds{};
  double accuracy = 0;
  double cost = 0;                   // mean
  std::vector<double> answered_by{};  // share of questions answered by each tier
};

// What these thresholds do on these outcomes.
Plan evaluate(const CascadeOutcomes& outcomes, const std::vector<double>& thresholds);

// The efficient plans found, by rising cost; each more accurate than all cheaper ones. Their
// `answered_by` may be empty.
std::vector<Plan> efficient_plans(const CascadeOutcomes& outcomes);

enum class TargetKind { Accuracy, Cost, MaxRisk };

struct PlanTarget {
  TargetKind kind = TargetKind::Accuracy;
  double value = 0;          // accuracy or risk in (0, 1); cost > 0
  double confidence = 0.95;  // of MaxRisk
};

struct PlanChoice {
  bool feasible = false;
  Plan plan{};  // where not feasible: the nearest that can be reached
  double risk_bound = 1;  // MaxRisk: upper Clopper–Pearson bound on the test half
};

// Accuracy: the cheapest plan that reaches it. Cost: the most accurate one within it. MaxRisk: on a
// random half (by the rows' keys) plans are made, on the other half they are tested from the safest
// to the cheapest until the exact test of "risk ≥ value" first fails to reject: the last that
// passed has risk < value with the confidence asked for. `keys` is as long as the outcomes.
PlanChoice choose_plan(const CascadeOutcomes& outcomes, std::span<const uint64_t> keys,
                       const PlanTarget& target);

struct PlanIntervals {
  Interval accuracy{};
  Interval cost{};
};

// Of the fixed thresholds, over resampled questions.
PlanIntervals bootstrap_plan(const CascadeOutcomes& outcomes, const std::vector<double>& thresholds,
                             const BootstrapOptions& options);

}  // namespace tinyarms::calibration
