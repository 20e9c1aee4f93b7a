#include "calibration/softmax_regression.h"

#include <algorithm>
#include <cmath>

namespace tinyarms::calibration {
namespace {

constexpr int kSoftmaxStepsMax = 2000;
constexpr double kGradientMin = 1e-5;  // per row
constexpr int kPowerSteps = 30;

// Weights and intercept of a class side by side: the intercept is a feature that is always 1, and
// is held back by the same ridge, which keeps everything strongly convex.
class Objective {
 public:
  explicit Objective(const SoftmaxProblem& problem)
      : problem_(problem), rows_(problem.labels.size()), width_(problem.features + 1) {}

  size_t size() const { return problem_.classes * width_; }
  size_t width() const { return width_; }
  size_t rows() const { return rows_; }

  std::span<const float> row(size_t index) const {
    return problem_.rows.subspan(index * problem_.features, problem_.features);
  }

  double guess(size_t index) const {
    const size_t feature = index % width_;
    if (problem_.guess.empty() || feature == problem_.features) return 0;
    return problem_.guess[index / width_ * problem_.features + feature];
  }

  void gradient(const std::vector<double>& at, std::vector<double>& slope) const {
    for (size_t i = 0; i < at.size(); ++i) slope[i] = problem_.ridge * (at[i] - guess(i));
    std::vector<double> scores(problem_.classes);
    for (size_t r = 0; r < rows_; ++r) {
      const std::span<const float> x = row(r);
      for (size_t c = 0; c < problem_.classes; ++c) {
        const double* w = at.data() + c * width_;
        double sum = w[problem_.features];
        for (size_t i = 0; i < x.size(); ++i) sum += w[i] * double{x[i]};
        scores[c] = sum;
      }
      softmax(scores);
      scores[problem_.labels[r]] -= 1;
      for (size_t c = 0; c < problem_.classes; ++c) {
        double* g = slope.data() + c * width_;
        const double error = scores[c];
        for (size_t i = 0; i < x.size(); ++i) g[i] += error * double{x[i]};
        g[problem_.features] += error;
      }
    }
  }

  // The largest eigenvalue of XᵀX, a little above: half of it bounds the curvature (Böhning 1992).
  double curvature() const {
    std::vector<double> v(width_, 1 / std::sqrt(static_cast<double>(width_)));
    double length = 1;
    for (int step = 0; step < kPowerSteps; ++step) {
      std::vector<double> next(width_, 0);
      for (size_t r = 0; r < rows_; ++r) {
        const std::span<const float> x = row(r);
        double dot = v[problem_.features];
        for (size_t i = 0; i < x.size(); ++i) dot += v[i] * double{x[i]};
        for (size_t i = 0; i < x.size(); ++i) next[i] += dot * double{x[i]};
        next[problem_.features] += dot;
      }
      length = 0;
      for (const double value : next) length += value * value;
      length = std::sqrt(length);
      if (!(length > 0)) return 1;
      for (size_t i = 0; i < width_; ++i) v[i] = next[i] / length;
    }
    return 1.1 * length;
  }

 private:
  const SoftmaxProblem& problem_;
  size_t rows_;
  size_t width_;
};

}  // namespace

void softmax(std::span<double> scores) {
  if (scores.empty()) return;
  const double top = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - top);
  for (double& score : scores) score /= sum;
}

SoftmaxFit fit_softmax(const SoftmaxProblem& problem) {
  const Objective objective(problem);
  const double steepest = 0.5 * objective.curvature() + problem.ridge;
  const double ratio = std::sqrt(problem.ridge / steepest);
  const double momentum = (1 - ratio) / (1 + ratio);
  std::vector<double> here(objective.size());
  for (size_t i = 0; i < here.size(); ++i) here[i] = objective.guess(i);
  std::vector<double> ahead = here;
  std::vector<double> slope(here.size());
  const double enough = kGradientMin * static_cast<double>(objective.rows() + 1);
  for (int step = 0; step < kSoftmaxStepsMax; ++step) {
    objective.gradient(ahead, slope);
    double norm = 0;
    for (size_t i = 0; i < here.size(); ++i) {
      norm += slope[i] * slope[i];
      const double next = ahead[i] - slope[i] / steepest;
      ahead[i] = next + momentum * (next - here[i]);
      here[i] = next;
    }
    if (std::sqrt(norm) < enough) break;
  }
  SoftmaxFit fit;
  for (size_t c = 0; c < problem.classes; ++c) {
    const auto begin = here.begin() + static_cast<std::ptrdiff_t>(c * objective.width());
    const auto end = begin + static_cast<std::ptrdiff_t>(problem.features);
    fit.weights.insert(fit.weights.end(), begin, end);
    fit.intercepts.push_back(*end);
  }
  return fit;
}

}  // namespace tinyarms::calibration
