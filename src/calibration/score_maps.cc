#include "calibration/score_maps.h"

#include <algorithm>
#include <cmath>

#include "calibration/logistic_regression.h"

namespace tinyarms::calibration {
namespace {

// Probabilities of a model's own are taken no nearer to 0 and 1.
constexpr double kScoreEdge = 1e-9;

double inside(double p) { return std::clamp(p, kScoreEdge, 1 - kScoreEdge); }

double temperature_loss(std::span<const Scored> items, double log_temperature) {
  const double inverse = std::exp(-log_temperature);
  double loss = 0;
  for (const Scored& item : items) {
    const double z = logit(inside(item.score)) * inverse;
    loss += item.weight * (log1p_exp(z) - item.outcome * z);
  }
  return loss;
}

// True where right answers tend to have the higher scores.
bool rises(std::span<const Scored> items) {
  double sum = 0;
  double outcomes = 0;
  double scores = 0;
  for (const Scored& item : items) {
    outcomes += item.outcome;
    scores += item.score;
  }
  const auto n = static_cast<double>(items.size());
  for (const Scored& item : items) {
    sum += (item.score - scores / n) * (item.outcome - outcomes / n);
  }
  return sum >= 0;
}

}  // namespace

double TemperatureMap::operator()(double score) const {
  return inside(sigmoid(logit(inside(score)) / temperature));
}

double PlattMap::operator()(double score) const {
  return inside(sigmoid(slope * score + intercept));
}

double BetaMap::operator()(double score) const {
  const double s = inside(score);
  return inside(sigmoid(a * std::log(s) - b * std::log1p(-s) + c));
}

double IsotonicMap::operator()(double score) const {
  const double floor = 1 / (static_cast<double>(fit.records) + 2);
  return std::clamp(fit(rising ? score : -score), floor, 1 - floor);
}

const HistogramMap::Bin& HistogramMap::bin_of(double score) const {
  const auto found = std::lower_bound(bins.begin(), bins.end() - 1, score,
                                      [](const Bin& bin, double s) { return bin.high < s; });
  return *found;
}

double HistogramMap::value(const Bin& bin) {
  return (static_cast<double>(bin.right) + 0.5) / (static_cast<double>(bin.trials) + 1);
}

Interval HistogramMap::bounds(double score) const {
  const Bin& bin = bin_of(score);
  const double share = (1 - confidence) / static_cast<double>(bins.size());
  return clopper_pearson({bin.right, bin.trials}, 1 - share);
}

TemperatureMap fit_temperature(std::span<const Scored> items) {
  // The loss is quasi-convex in log T: golden section.
  constexpr double kGolden = 0.6180339887498949;
  double low = -6;
  double high = 6;
  double a = high - kGolden * (high - low);
  double b = low + kGolden * (high - low);
  double loss_a = temperature_loss(items, a);
  double loss_b = temperature_loss(items, b);
  while (high - low > 1e-6) {
    if (loss_a <= loss_b) {
      high = b;
      b = a;
      loss_b = loss_a;
      a = high - kGolden * (high - low);
      loss_a = temperature_loss(items, a);
    } else {
      low = a;
      a = b;
      loss_a = loss_b;
      b = low + kGolden * (high - low);
      loss_b = temperature_loss(items, b);
    }
  }
  return {std::exp(0.5 * (low + high))};
}

PlattMap fit_platt(std::span<const Scored> items) {
  double right = 0;
  double mean = 0;
  double square = 0;
  const auto n = static_cast<double>(items.size());
  for (const Scored& item : items) {
    right += item.outcome;
    mean += item.score / n;
  }
  for (const Scored& item : items) square += (item.score - mean) * (item.score - mean) / n;
  const double scale = square > 0 ? std::sqrt(square) : 1;
  const double high = (right + 1) / (right + 2);
  const double low = 1 / (n - right + 2);
  const auto weights = fit_logistic({.rows = items.size(),
                                     .features = 1,
                                     .features_of =
                                         [&](size_t row, std::span<double> x) {
                                           x[0] = (items[row].score - mean) / scale;
                                         },
                                     .target_of =
                                         [&](size_t row) {
                                           return low + (high - low) * items[row].outcome;
                                         },
                                     .ridge = 0});
  return {weights[0] / scale, weights[1] - weights[0] * mean / scale};
}

BetaMap fit_beta(std::span<const Scored> items) {
  bool use_a = true;
  bool use_b = true;
  // A negative coefficient would make the map fall: it is left out and the rest fitted again.
  while (true) {
    const size_t features = (use_a ? 1 : 0) + (use_b ? 1 : 0);
    const auto weights = fit_logistic({.rows = items.size(),
                                       .features = features,
                                       .features_of =
                                           [&](size_t row, std::span<double> x) {
                                             const double s = inside(items[row].score);
                                             if (use_a) x[0] = std::log(s);
                                             if (use_b) x[use_a ? 1 : 0] = -std::log1p(-s);
                                           },
                                       .target_of = [&](size_t row) { return items[row].outcome; },
                                       .ridge = 0});
    BetaMap map{use_a ? weights[0] : 0, use_b ? weights[use_a ? 1 : 0] : 0, weights.back()};
    if (map.a >= 0 && map.b >= 0) return map;
    (map.a <= map.b ? use_a : use_b) = false;
  }
}

IsotonicMap fit_isotonic_map(std::span<const Scored> items) {
  std::vector<Scored> copy(items.begin(), items.end());
  const bool rising = rises(items);
  if (!rising) {
    for (Scored& item : copy) item.score = -item.score;
  }
  auto fit = fit_isotonic(copy);
  return {fit ? std::move(*fit) : IsotonicFit{{0}, {0.5}, 0}, rising};
}

HistogramMap fit_histogram(std::span<const Scored> items, size_t bins) {
  std::vector<Scored> sorted(items.begin(), items.end());
  sort_by_score(sorted);
  HistogramMap map;
  size_t begin = 0;
  for (size_t b = 1; b <= bins && begin < sorted.size(); ++b) {
    size_t end = std::max(begin + 1, b * sorted.size() / bins);
    while (end < sorted.size() && sorted[end].score == sorted[end - 1].score) ++end;
    HistogramMap::Bin bin{.high = sorted[end - 1].score, .right = 0, .trials = end - begin};
    for (; begin < end; ++begin) bin.right += sorted[begin].outcome > 0.5 ? 1 : 0;
    map.bins.push_back(bin);
  }
  if (map.bins.empty()) map.bins.push_back({});
  return map;
}

}  // namespace tinyarms::calibration
