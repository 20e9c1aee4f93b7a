#include "calibration/logistic_regression.h"

#include <algorithm>
#include <cmath>

#include "calibration/special_functions.h"

namespace tinyarms::calibration {
namespace {

constexpr double kGuardRidge = 1e-6;
constexpr int kStepsMax = 60;

struct Quadratic {  // the objective near the weights
  double loss = 0;
  std::vector<double> gradient;
  std::vector<double> hessian;  // row-major, lower triangle
};

double penalty(const LogisticProblem& problem, size_t index) {
  return kGuardRidge + (index < problem.features ? problem.ridge : 0);
}

Quadratic expand(const LogisticProblem& problem, const std::vector<double>& weights,
                 bool with_slopes) {
  const size_t size = weights.size();
  Quadratic result;
  if (with_slopes) {
    result.gradient.assign(size, 0);
    result.hessian.assign(size * size, 0);
  }
  std::vector<double> x(size, 1);  // the last stays 1: the intercept
  for (size_t row = 0; row < problem.rows; ++row) {
    problem.features_of(row, std::span(x).first(problem.features));
    double z = 0;
    for (size_t i = 0; i < size; ++i) z += weights[i] * x[i];
    const double target = problem.target_of(row);
    result.loss += log1p_exp(z) - target * z;
    if (!with_slopes) continue;
    const double p = sigmoid(z);
    const double curvature = p * (1 - p);
    for (size_t i = 0; i < size; ++i) {
      result.gradient[i] += (p - target) * x[i];
      const double scaled = curvature * x[i];
      for (size_t j = 0; j <= i; ++j) result.hessian[i * size + j] += scaled * x[j];
    }
  }
  for (size_t i = 0; i < size; ++i) {
    result.loss += 0.5 * penalty(problem, i) * weights[i] * weights[i];
    if (!with_slopes) continue;
    result.gradient[i] += penalty(problem, i) * weights[i];
    result.hessian[i * size + i] += penalty(problem, i);
  }
  return result;
}

// Solves H·step = gradient by Cholesky's method, in place; the guard ridge keeps H definite.
std::vector<double> solve(std::vector<double> h, std::vector<double> b) {
  const size_t n = b.size();
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = h[i * n + j];
      for (size_t k = 0; k < j; ++k) sum -= h[i * n + k] * h[j * n + k];
      h[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / h[j * n + j];
    }
  }
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < i; ++k) b[i] -= h[i * n + k] * b[k];
    b[i] /= h[i * n + i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k) b[i] -= h[k * n + i] * b[k];
    b[i] /= h[i * n + i];
  }
  return b;
}

}  // namespace

std::vector<double> fit_logistic(const LogisticProblem& problem) {
  std::vector<double> weights(problem.features + 1, 0);
  for (int step = 0; step < kStepsMax; ++step) {
    const Quadratic here = expand(problem, weights, true);
    const std::vector<double> direction = solve(here.hessian, here.gradient);
    double slope = 0;
    for (size_t i = 0; i < weights.size(); ++i) slope += direction[i] * here.gradient[i];
    if (!(slope > 1e-14 * (1 + std::abs(here.loss)))) break;
    double length = 1;
    std::vector<double> next = weights;
    for (int halving = 0; halving < 40; ++halving, length *= 0.5) {
      for (size_t i = 0; i < weights.size(); ++i) next[i] = weights[i] - length * direction[i];
      if (expand(problem, next, false).loss <= here.loss - 1e-4 * length * slope) break;
    }
    weights = std::move(next);
  }
  return weights;
}

}  // namespace tinyarms::calibration
