// Logistic regression with a ridge, by Newton's method with step halving: the solver behind Platt,
// beta and many-signal calibration.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace tinyarms::calibration {

struct LogisticProblem {
  size_t rows = 0;
  size_t features = 0;  // without the intercept
  // Writes the features of a row; called once a row and pass.
  std::function<void(size_t row, std::span<double> features)> features_of;
  std::function<double(size_t row)> target_of;  // in [0, 1]
  double ridge = 0;  // added to the negative log-likelihood as ½·ridge·|w|²; not on the intercept
};

// The weights, the intercept last. Deterministic; always finite (a tiny ridge guards against
// separable and constant data).
std::vector<double> fit_logistic(const LogisticProblem& problem);

}  // namespace tinyarms::calibration
