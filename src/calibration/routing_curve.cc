#include "calibration/routing_curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tinyarms::calibration {
namespace {

// The first share at which the recovered gap reaches `gain`.
double call_threshold(std::span<const RoutingPoint> curve, double gain) {
  const double first = curve.front().accuracy;
  const double wanted = first + gain * (curve.back().accuracy - first);
  for (size_t i = 1; i < curve.size(); ++i) {
    if (curve[i].accuracy < wanted) continue;
    const double rise = curve[i].accuracy - curve[i - 1].accuracy;
    const double part = rise > 0 ? (wanted - curve[i - 1].accuracy) / rise : 1;
    return curve[i - 1].escalated + part * (curve[i].escalated - curve[i - 1].escalated);
  }
  return 1;  // rounding kept the last point a hair below
}

}  // namespace

void sort_by_score(std::vector<RoutedItem>& items) {
  std::sort(items.begin(), items.end(),
            [](const RoutedItem& a, const RoutedItem& b) { return a.score < b.score; });
}

std::vector<RoutingPoint> routing_curve(std::span<const RoutedItem> sorted, CostModel model) {
  double right = 0;
  double cost = 0;
  for (const RoutedItem& item : sorted) {
    right += item.small_outcome;
    cost += item.small_cost;
  }
  const auto n = static_cast<double>(sorted.size());
  std::vector<RoutingPoint> curve;
  for (size_t begin = 0; begin < sorted.size();) {
    curve.push_back({sorted[begin].score, static_cast<double>(begin) / n, right / n, cost / n});
    const double score = sorted[begin].score;
    for (; begin < sorted.size() && sorted[begin].score == score; ++begin) {
      const RoutedItem& item = sorted[begin];
      right += item.large_outcome - item.small_outcome;
      cost += item.large_cost - (model == CostModel::Router ? item.small_cost : 0);
    }
  }
  curve.push_back({std::numeric_limits<double>::infinity(), 1, right / n, cost / n});
  return curve;
}

RoutingSummary summarise(std::span<const RoutingPoint> curve) {
  RoutingSummary summary{.small_accuracy = curve.front().accuracy,
                         .large_accuracy = curve.back().accuracy,
                         .apgr = std::nullopt,
                         .cpt50 = std::nullopt,
                         .cpt80 = std::nullopt};
  const double gap = summary.large_accuracy - summary.small_accuracy;
  if (gap <= 1e-12) return summary;
  double area = 0;
  for (size_t i = 1; i < curve.size(); ++i) {
    area += (curve[i].escalated - curve[i - 1].escalated) * 0.5 *
            (curve[i].accuracy + curve[i - 1].accuracy);
  }
  summary.apgr = (area - summary.small_accuracy) / gap;
  summary.cpt50 = call_threshold(curve, 0.5);
  summary.cpt80 = call_threshold(curve, 0.8);
  return summary;
}

RoutingIntervals bootstrap_routing(std::span<const RoutedItem> sorted,
                                   const BootstrapOptions& options) {
  if (sorted.size() < 2) return {};
  const size_t count = std::min(sorted.size(), options.records_max);
  const double scale =
      std::sqrt(static_cast<double>(count) / static_cast<double>(sorted.size()));
  Random random(options.seed);
  std::vector<size_t> indices;
  std::vector<RoutedItem> sample(count);
  std::array<std::vector<double>, 3> replicates;
  const auto fields = [](const RoutingSummary& summary) {
    return std::array{summary.apgr, summary.cpt50, summary.cpt80};
  };
  for (size_t round = 0; round < options.resamples; ++round) {
    draw_sorted(random, sorted.size(), count, indices);
    for (size_t i = 0; i < count; ++i) sample[i] = sorted[indices[i]];
    const auto values = fields(summarise(routing_curve(sample, CostModel::Router)));
    for (size_t i = 0; i < 3; ++i) {
      replicates[i].push_back(values[i].value_or(std::numeric_limits<double>::quiet_NaN()));
    }
  }
  const auto estimates = fields(summarise(routing_curve(sorted, CostModel::Router)));
  std::array<std::optional<Interval>, 3> intervals;
  for (size_t i = 0; i < 3; ++i) {
    if (!estimates[i]) continue;
    intervals[i] = bootstrap_interval(*estimates[i], replicates[i], scale, options.confidence);
    if (i > 0 && intervals[i]) {  // CPT is a share
      intervals[i] = Interval{std::max(0.0, intervals[i]->low), std::min(1.0, intervals[i]->high)};
    }
  }
  return {intervals[0], intervals[1], intervals[2]};
}

double accuracy_at_cost(std::span<const RoutingPoint> curve, double cost) {
  const bool rising = curve.back().cost >= curve.front().cost;
  for (size_t i = 1; i < curve.size(); ++i) {
    const RoutingPoint& a = curve[i - 1];
    const RoutingPoint& b = curve[i];
    if (rising ? cost > b.cost : cost < b.cost) continue;
    const double width = b.cost - a.cost;
    const double part = width == 0 ? 0 : std::clamp((cost - a.cost) / width, 0.0, 1.0);
    return a.accuracy + part * (b.accuracy - a.accuracy);
  }
  return curve.back().accuracy;
}

std::vector<RoutingPoint> thinned(std::span<const RoutingPoint> curve, size_t points) {
  if (curve.size() <= points || points < 2) return {curve.begin(), curve.end()};
  std::vector<RoutingPoint> chosen;
  size_t at = 0;
  for (size_t i = 0; i < points; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(points - 1);
    while (at + 1 < curve.size() && curve[at].escalated < share) ++at;
    if (!chosen.empty() && chosen.back().escalated == curve[at].escalated) continue;
    chosen.push_back(curve[at]);
  }
  return chosen;
}

}  // namespace tinyarms::calibration
