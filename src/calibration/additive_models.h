// Calibrators of many signals, which may each be missing: logistic regression, and gradient-boosted
// stumps (Friedman 2001) for signals whose effect is not a straight line.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "calibration/training_set.h"

namespace tinyarms::calibration {

// σ(intercept + Σ weight·(value − mean)/scale, or `missing` where the signal is not there).
struct LogisticModel {
  struct Term {
    double mean = 0;
    double scale = 1;    // > 0
    double weight = 0;
    double missing = 0;  // 0 where it was never missing: then it counts as average
  };
  std::vector<Term> terms{};  // one a signal
  double intercept = 0;
  double operator()(std::span<const double> signals) const;
};

// σ(intercept + Σ of the stumps): left where value ≤ threshold, right above, `missing` if NaN.
struct StumpModel {
  struct Stump {
    size_t signal = 0;
    double threshold = 0;
    double left = 0;
    double right = 0;
    double missing = 0;
  };
  std::vector<Stump> stumps{};
  double intercept = 0;
  double operator()(std::span<const double> signals) const;
};

LogisticModel fit_logistic_model(const TrainingSet& set, const Rows& rows);

// `rounds` stumps over at most 32 thresholds a signal, learning rate 0.1.
StumpModel fit_stumps(const TrainingSet& set, const Rows& rows, size_t rounds);

}  // namespace tinyarms::calibration
