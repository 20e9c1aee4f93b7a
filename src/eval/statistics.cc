#include "eval/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include "calibration/random.h"

namespace tinyarms::eval {
namespace {

constexpr double kNormalQuantile = 1.959963984540054;  // Φ⁻¹(0.975)
constexpr double kTail = 0.025;

// The central 95 % of the replicates, which are sorted on the way.
Interval central(std::vector<double>& replicates) {
  std::sort(replicates.begin(), replicates.end());
  const auto at = [&](double share) {
    const double position = share * static_cast<double>(replicates.size() - 1);
    const auto below = static_cast<size_t>(position);
    const size_t above = std::min(below + 1, replicates.size() - 1);
    const double part = position - static_cast<double>(below);
    return replicates[below] * (1 - part) + replicates[above] * part;
  };
  return {at(kTail), at(1 - kTail)};
}

std::vector<double> ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = static_cast<double>(begin + end - 1) / 2;
    for (size_t i = begin; i < end; ++i) result[order[i]] = rank;
    begin = end;
  }
  return result;
}

double pearson(const std::vector<double>& x, const std::vector<double>& y) {
  const double n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xy = 0;
  double xx = 0;
  double yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

Interval wilson(Count count) {
  if (count.trials == 0) return {0, 1};
  const double n = static_cast<double>(count.trials);
  const double p = static_cast<double>(count.hits) / n;
  const double z2 = kNormalQuantile * kNormalQuantile;
  const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half =
      kNormalQuantile / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  // At the borders the formula's ends are 0 and 1 but for rounding.
  return {count.hits == 0 ? 0 : std::max(0.0, centre - half),
          count.hits == count.trials ? 1 : std::min(1.0, centre + half)};
}

double pass_at_k(Samples samples, uint64_t k) {
  assert(k >= 1 && k <= samples.drawn && samples.correct <= samples.drawn);
  const uint64_t wrong = samples.drawn - samples.correct;
  if (wrong < k) return 1;
  double none = 1;  // C(n−c, k) / C(n, k) as a product, which never overflows
  for (uint64_t i = wrong + 1; i <= samples.drawn; ++i) {
    none *= 1 - static_cast<double>(k) / static_cast<double>(i);
  }
  return 1 - none;
}

Interval bootstrap_mean(std::span<const double> values, const ResampleOptions& options) {
  if (values.empty()) return {0, 1};
  calibration::Random random(options.seed);
  std::vector<double> replicates;
  for (size_t i = 0; i < options.resamples; ++i) {
    double sum = 0;
    for (size_t draw = 0; draw < values.size(); ++draw) sum += values[random.below(values.size())];
    replicates.push_back(sum / static_cast<double>(values.size()));
  }
  return central(replicates);
}

Interval bootstrap_bounded_mean(std::span<const double> values, Interval range,
                                const ResampleOptions& options) {
  if (values.empty()) return range;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (*low != *high) return bootstrap_mean(values, options);
  const double reach = wilson({.hits = 0, .trials = values.size()}).high;
  return {std::max(range.low, *low - reach), std::min(range.high, *low + reach)};
}

Paired compare(std::span<const ScorePair> items, const ResampleOptions& options) {
  Paired result;
  result.items = items.size();
  if (items.empty()) {
    result.interval = {-1, 1};
    return result;
  }
  std::vector<double> differences;
  for (const ScorePair& item : items) {
    result.first += item.first;
    result.second += item.second;
    differences.push_back(item.second - item.first);
    const bool first = item.first >= 0.5;
    const bool second = item.second >= 0.5;
    if (first && !second) ++result.only_first;
    if (second && !first) ++result.only_second;
  }
  result.first /= static_cast<double>(items.size());
  result.second /= static_cast<double>(items.size());
  result.difference = result.second - result.first;
  result.interval = bootstrap_bounded_mean(differences, {-1, 1}, options);
  const uint64_t discordant = result.only_first + result.only_second;
  if (discordant > 0) {
    const uint64_t fewer = std::min(result.only_first, result.only_second);
    result.p_value = std::min(
        1.0, 2 * calibration::binomial_cdf({.hits = fewer, .trials = discordant}, 0.5));
  }
  return result;
}

double spearman(std::span<const Point> points) {
  if (points.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> x;
  std::vector<double> y;
  for (const Point& point : points) {
    x.push_back(point.x);
    y.push_back(point.y);
  }
  return pearson(ranks(x), ranks(y));
}

Interval bootstrap_spearman(std::span<const Point> points, const ResampleOptions& options) {
  calibration::Random random(options.seed);
  std::vector<double> replicates;
  std::vector<Point> drawn(points.size());
  for (size_t i = 0; i < options.resamples && points.size() >= 2; ++i) {
    for (Point& point : drawn) point = points[random.below(points.size())];
    const double value = spearman(drawn);
    if (!std::isnan(value)) replicates.push_back(value);
  }
  return replicates.empty() ? Interval{-1, 1} : central(replicates);
}

}  // namespace tinyarms::eval
