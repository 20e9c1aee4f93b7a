#include "calibration/additive_models.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "calibration/logistic_regression.h"
#include "calibration/special_functions.h"

namespace tinyarms::calibration {
namespace {

constexpr double kEdge = 1e-9;
constexpr double kLogisticRidge = 1;   // on standardised signals
constexpr double kLearningRate = 0.1;
constexpr double kLeafRidge = 2;
constexpr size_t kThresholdsMax = 32;

double probability(double z) { return std::clamp(sigmoid(z), kEdge, 1 - kEdge); }

LogisticModel::Term standardised(const std::vector<double>& column, const Rows& rows) {
  LogisticModel::Term term;
  double count = 0;
  for (const size_t row : rows) {
    if (std::isnan(column[row])) continue;
    count += 1;
    term.mean += (column[row] - term.mean) / count;
  }
  double square = 0;
  for (const size_t row : rows) {
    if (std::isnan(column[row])) continue;
    square += (column[row] - term.mean) * (column[row] - term.mean) / std::max(1.0, count);
  }
  if (square > 0 && std::isfinite(square)) term.scale = std::sqrt(square);
  return term;
}

// A signal's values cut into buckets once, so that each round is a pass over small integers.
struct Buckets {
  std::vector<double> thresholds;  // bucket b holds what is ≤ thresholds[b]; one more above
  std::vector<uint8_t> of_row;     // by position in the rows; kMissing where NaN
};
constexpr uint8_t kMissing = 255;

Buckets cut(const std::vector<double>& column, const Rows& rows) {
  std::vector<double> values;
  for (const size_t row : rows) {
    if (!std::isnan(column[row])) values.push_back(column[row]);
  }
  std::sort(values.begin(), values.end());
  Buckets buckets;
  for (size_t i = 1; i <= kThresholdsMax && !values.empty(); ++i) {
    const size_t at = i * values.size() / (kThresholdsMax + 1);
    const double value = values[std::min(values.size() - 1, at)];
    const bool fresh = buckets.thresholds.empty() || value > buckets.thresholds.back();
    if (fresh && value < values.back()) buckets.thresholds.push_back(value);
  }
  for (const size_t row : rows) {
    const auto at = std::lower_bound(buckets.thresholds.begin(), buckets.thresholds.end(),
                                     column[row]);
    buckets.of_row.push_back(std::isnan(column[row])
                                 ? kMissing
                                 : static_cast<uint8_t>(at - buckets.thresholds.begin()));
  }
  return buckets;
}

struct Leaf {  // sums of gradient and curvature
  double gradient = 0;
  double curvature = 0;
  double gain() const { return gradient * gradient / (curvature + kLeafRidge); }
  double step() const { return kLearningRate * gradient / (curvature + kLeafRidge); }
  void add(const Leaf& other) {
    gradient += other.gradient;
    curvature += other.curvature;
  }
};

struct Candidate {
  double gain = 0;
  StumpModel::Stump stump;
};

void try_signal(size_t signal, const Buckets& buckets, const std::vector<Leaf>& slopes,
                Candidate& best) {
  std::vector<Leaf> sums(buckets.thresholds.size() + 1);
  Leaf missing;
  Leaf all;
  for (size_t i = 0; i < slopes.size(); ++i) {
    const uint8_t bucket = buckets.of_row[i];
    (bucket == kMissing ? missing : sums[bucket]).add(slopes[i]);
  }
  for (const Leaf& sum : sums) all.add(sum);
  Leaf left;
  for (size_t b = 0; b < buckets.thresholds.size(); ++b) {
    left.add(sums[b]);
    const Leaf right{all.gradient - left.gradient, all.curvature - left.curvature};
    const double gain = left.gain() + right.gain() + missing.gain();
    if (gain <= best.gain) continue;
    best = {gain, {signal, buckets.thresholds[b], left.step(), right.step(), missing.step()}};
  }
}

}  // namespace

double LogisticModel::operator()(std::span<const double> signals) const {
  double z = intercept;
  for (size_t i = 0; i < terms.size(); ++i) {
    const Term& term = terms[i];
    z += std::isnan(signals[i]) ? term.missing
                                : term.weight * (signals[i] - term.mean) / term.scale;
  }
  return probability(z);
}

double StumpModel::operator()(std::span<const double> signals) const {
  double z = intercept;
  for (const Stump& stump : stumps) {
    const double value = signals[stump.signal];
    z += std::isnan(value) ? stump.missing : value <= stump.threshold ? stump.left : stump.right;
  }
  return probability(z);
}

LogisticModel fit_logistic_model(const TrainingSet& set, const Rows& rows) {
  LogisticModel model;
  for (const auto& column : set.columns) model.terms.push_back(standardised(column, rows));
  const size_t signals = set.columns.size();
  // Two features a signal: its standardised value (0 where missing), and whether it is missing.
  const auto weights = fit_logistic(
      {.rows = rows.size(),
       .features = 2 * signals,
       .features_of =
           [&](size_t row, std::span<double> x) {
             for (size_t s = 0; s < signals; ++s) {
               const double value = set.columns[s][rows[row]];
               const bool missing = std::isnan(value);
               x[s] = missing ? 0 : (value - model.terms[s].mean) / model.terms[s].scale;
               x[signals + s] = missing ? 1 : 0;
             }
           },
       .target_of = [&](size_t row) { return set.right[rows[row]]; },
       .ridge = kLogisticRidge});
  for (size_t s = 0; s < signals; ++s) {
    model.terms[s].weight = weights[s];
    model.terms[s].missing = weights[signals + s];
  }
  model.intercept = weights.back();
  return model;
}

StumpModel fit_stumps(const TrainingSet& set, const Rows& rows, size_t rounds) {
  StumpModel model;
  double right = 0;
  for (const size_t row : rows) right += set.right[row];
  model.intercept = logit((right + 1) / (static_cast<double>(rows.size()) + 2));
  std::vector<Buckets> buckets;
  for (const auto& column : set.columns) buckets.push_back(cut(column, rows));
  std::vector<double> z(rows.size(), model.intercept);
  std::vector<Leaf> slopes(rows.size());
  for (size_t round = 0; round < rounds; ++round) {
    Leaf all;
    for (size_t i = 0; i < rows.size(); ++i) {
      const double p = sigmoid(z[i]);
      slopes[i] = {set.right[rows[i]] - p, p * (1 - p)};
      all.add(slopes[i]);
    }
    Candidate best{all.gain() + 1e-9, {}};
    const double none = best.gain;
    for (size_t s = 0; s < buckets.size(); ++s) try_signal(s, buckets[s], slopes, best);
    if (best.gain == none) break;
    model.stumps.push_back(best.stump);
    const auto& column = set.columns[best.stump.signal];
    for (size_t i = 0; i < rows.size(); ++i) {
      const double value = column[rows[i]];
      z[i] += std::isnan(value)                   ? best.stump.missing
              : value <= best.stump.threshold     ? best.stump.left
                                                  : best.stump.right;
    }
  }
  return model;
}

}  // namespace tinyarms::calibration
