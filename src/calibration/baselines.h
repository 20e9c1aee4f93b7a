// What a plan must beat: fixed choices, chance, and routing by the question alone, from the first
// tier to the last one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calibration/dataset.h"
#include "calibration/routing_curve.h"

namespace tinyarms::calibration {

struct Baseline {
  std::string name{};
  // Of fixed choices and the oracle: their one point. Of curves: the point at the plan's cost.
  double accuracy = 0;
  double cost = 0;
  RoutingSummary summary{};  // of curves
  RoutingIntervals intervals{};
  bool curve = false;
  std::vector<RoutingPoint> points{};  // of curves, thinned: for pictures
};

// `rows`: of the dataset, with an outcome of every tier. In order:
//   always_small, always_large, best_fixed (the most accurate tier, cheapest among equals),
//   random (each question to the large tier with one chance, the expectation),
//   prompt_length (longer questions go to the large tier), group_prior (by the small tier's
//   success in the group, from the other records), prompt_features (a cross-fitted logistic
//   model of the small tier's success on prompt_features.h),
//   perfect_detector (asks the small tier first and escalates just its wrong answers),
//   oracle (the cheapest tier that is right, else the cheapest).
// Those that need a prompt are left out where the records have none.
std::vector<Baseline> baselines(const Dataset& data, const std::vector<size_t>& rows,
                                double plan_cost, const BootstrapOptions& options);

}  // namespace tinyarms::calibration
