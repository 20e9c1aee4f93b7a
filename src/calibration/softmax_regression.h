// Multinomial logistic regression (softmax) whose ridge pulls towards a given guess instead of
// zero: with few records the guess decides, with many the records do. Solved by Nesterov's
// accelerated gradient for strongly convex functions; deterministic, always finite.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace tinyarms::calibration {

struct SoftmaxProblem {
  size_t classes = 0;
  size_t features = 0;               // of a row, without the intercept
  std::span<const float> rows;       // rows × features
  std::span<const size_t> labels;    // one a row, below `classes`
  std::span<const double> guess;     // classes × features; empty: zero
  double ridge = 1;                  // > 0; ½·ridge·|w − guess|² beside the negative log-likelihood
};

struct SoftmaxFit {
  std::vector<double> weights;     // classes × features
  std::vector<double> intercepts;  // one a class
};

SoftmaxFit fit_softmax(const SoftmaxProblem& problem);

// Turns scores into probabilities, in place, without overflow.
void softmax(std::span<double> scores);

}  // namespace tinyarms::calibration
