#include "calibration/reliability.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tinyarms::calibration {
namespace {

constexpr size_t kAdaptiveBinsMax = 64;

std::vector<double> fractions(size_t bins) {
  std::vector<double> edges(bins + 1);
  const double step = 1.0 / static_cast<double>(bins);
  for (size_t i = 0; i < bins; ++i) edges[i] = static_cast<double>(i) * step;
  edges[bins] = 1;
  return edges;
}

// The linear (type 7) quantile of sorted items.
double quantile(std::span<const Scored> items, double fraction) {
  const double position = static_cast<double>(items.size() - 1) * fraction;
  const auto below = static_cast<size_t>(position);
  const double a = items[below].score;
  const double b = items[std::min(below + 1, items.size() - 1)].score;
  const double t = position - static_cast<double>(below);
  return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

std::vector<double> mass_edges(std::span<const Scored> items, size_t bins) {
  std::vector<double> edges = fractions(bins);
  for (double& edge : edges) edge = quantile(items, edge);
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  if (edges.size() == 1) edges.push_back(edges[0]);
  return edges;
}

std::vector<ReliabilityBin> fill(std::span<const Scored> items, const std::vector<double>& edges) {
  std::vector<ReliabilityBin> table;
  size_t at = 0;
  for (size_t b = 0; b + 1 < edges.size() && at < items.size(); ++b) {
    ReliabilityBin bin{.low = edges[b], .high = edges[b + 1]};
    const bool last = b + 2 == edges.size();
    double forecasts = 0;
    double outcomes = 0;
    for (; at < items.size() && (last || items[at].score <= bin.high); ++at) {
      ++bin.count;
      bin.weight += items[at].weight;
      forecasts += items[at].weight * items[at].score;
      outcomes += items[at].weight * items[at].outcome;
    }
    if (bin.count == 0) continue;
    bin.mean_forecast = forecasts / bin.weight;
    bin.observed = outcomes / bin.weight;
    table.push_back(bin);
  }
  return table;
}

// Weight and weighted outcome up to each item, to judge many binnings cheaply.
struct Prefix {
  std::vector<double> weight{0};
  std::vector<double> outcome{0};
};

bool rises(std::span<const Scored> items, const Prefix& prefix, const std::vector<double>& edges) {
  double earlier = -1;
  size_t at = 0;
  for (size_t b = 1; b < edges.size(); ++b) {
    const auto after = std::upper_bound(
        items.begin() + static_cast<std::ptrdiff_t>(at), items.end(), edges[b],
        [](double edge, const Scored& item) { return edge < item.score; });
    const size_t end =
        b + 1 == edges.size() ? items.size() : static_cast<size_t>(after - items.begin());
    if (end == at) continue;
    const double observed = (prefix.outcome[end] - prefix.outcome[at]) /
                            (prefix.weight[end] - prefix.weight[at]);
    // A hair of tolerance: differences of prefix sums carry rounding.
    if (observed < earlier - 1e-12) return false;
    earlier = observed;
    at = end;
  }
  return true;
}

std::vector<double> adaptive_edges(std::span<const Scored> items) {
  Prefix prefix;
  prefix.weight.reserve(items.size() + 1);
  prefix.outcome.reserve(items.size() + 1);
  for (const Scored& item : items) {
    prefix.weight.push_back(prefix.weight.back() + item.weight);
    prefix.outcome.push_back(prefix.outcome.back() + item.weight * item.outcome);
  }
  std::vector<double> best = mass_edges(items, 1);
  for (size_t bins = 2; bins <= std::min(kAdaptiveBinsMax, items.size()); ++bins) {
    std::vector<double> edges = mass_edges(items, bins);
    if (!rises(items, prefix, edges)) break;
    best = std::move(edges);
  }
  return best;
}

}  // namespace

std::vector<ReliabilityBin> reliability_of_sorted(std::span<const Scored> items, size_t bins,
                                                  Binning binning) {
  switch (binning) {
    case Binning::EqualWidth: return fill(items, fractions(bins));
    case Binning::EqualMass: return fill(items, mass_edges(items, bins));
    case Binning::Adaptive: return fill(items, adaptive_edges(items));
  }
  return {};
}

Result<std::vector<ReliabilityBin>> reliability(std::span<const Scored> items, size_t bins,
                                                Binning binning) {
  if (items.empty() || bins == 0) {
    return Error{ErrorCode::InvalidArgument, "a reliability table needs items and bins", "", ""};
  }
  for (const Scored& item : items) {
    const bool sound = item.score >= 0 && item.score <= 1 && item.outcome >= 0 &&
                       item.outcome <= 1 && item.weight > 0 && std::isfinite(item.weight);
    if (sound) continue;
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("score {}, outcome {}, weight {}: probabilities and positive weights "
                             "are needed",
                             item.score, item.outcome, item.weight),
                 "", "calibrate the score first"};
  }
  std::vector<Scored> sorted(items.begin(), items.end());
  sort_by_score(sorted);
  return reliability_of_sorted(sorted, bins, binning);
}

double expected_calibration_error(std::span<const ReliabilityBin> bins) {
  double weight = 0;
  double sum = 0;
  for (const ReliabilityBin& bin : bins) {
    weight += bin.weight;
    sum += bin.weight * std::abs(bin.mean_forecast - bin.observed);
  }
  return weight > 0 ? sum / weight : 0;
}

double brier_score(std::span<const Scored> items) {
  double weight = 0;
  double sum = 0;
  for (const Scored& item : items) {
    weight += item.weight;
    sum += item.weight * (item.score - item.outcome) * (item.score - item.outcome);
  }
  return sum / weight;
}

}  // namespace tinyarms::calibration
