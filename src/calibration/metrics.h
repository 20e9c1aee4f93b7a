// How good a score is, in one pass over sorted items, so that a bootstrap can repeat it cheaply.
// Every metric is exact on tied scores: it equals its expectation over random orders of the ties,
// and so does not depend on the order of the records.
//
//   accuracy  share of right answers
//   auroc     P(score of a right answer > that of a wrong one) + ½ P(equal)
//   auprc     average precision, Σ (recall_k − recall_{k−1}) · precision_k over distinct scores
//   aurc      area under risk–coverage: mean over k of the error rate among the k highest scores
//   brier, nll, ece_*   of the score as a probability; undefined where a score is outside [0, 1].
//             NLL takes probabilities as at least 1e-15 away from 0 and 1.
//
// An undefined metric (one class only, no probability) is NaN here and null in reports.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "calibration/random.h"
#include "calibration/scored.h"
#include "calibration/special_functions.h"

namespace tinyarms::calibration {

enum class Metric { Accuracy, Auroc, Auprc, Aurc, Brier, Nll, EceWidth, EceMass, EceAdaptive };
inline constexpr std::array<Metric, 9> kMetrics = {
    Metric::Accuracy, Metric::Auroc, Metric::Auprc,    Metric::Aurc,       Metric::Brier,
    Metric::Nll,      Metric::EceWidth, Metric::EceMass, Metric::EceAdaptive};

// "auroc", "ece_equal_width", …: the names in JSON.
std::string_view metric_name(Metric metric);

struct MetricValues {
  std::array<double, kMetrics.size()> values;
  double& operator[](Metric metric) { return values[static_cast<size_t>(metric)]; }
  double operator[](Metric metric) const { return values[static_cast<size_t>(metric)]; }
};

// `sorted` is ascending by score and not empty.
MetricValues measure(std::span<const Scored> sorted, size_t bins);

struct RiskCoveragePoint {
  double threshold = 0;  // keep what scores at least this
  double coverage = 0;
  double risk = 0;
};

// At most `points` of the distinct thresholds, from full coverage down.
std::vector<RiskCoveragePoint> risk_coverage(std::span<const Scored> sorted, size_t points);

struct BootstrapOptions {
  size_t resamples = 500;
  size_t records_max = 20'000;  // a resample is not made larger; the spread is scaled instead
  double confidence = 0.95;
  uint64_t seed = 1;
};

// Indices of `count` draws with replacement from [0, size), ascending, in O(count).
void draw_sorted(Random& random, size_t size, size_t count, std::vector<size_t>& indices);

// The interval around `estimate` from its bootstrap replicates: their spread about their own
// median, times `scale` (√(m/n) of the m-out-of-n bootstrap: Bickel et al. 1997). Centring takes
// out the bias that resampling adds to metrics such as ECE. Nothing where fewer than half of the
// replicates are defined. The replicates are reordered.
std::optional<Interval> bootstrap_interval(double estimate, std::span<double> replicates,
                                           double scale, double confidence);

// The percentile bootstrap of all metrics; `estimates` is measure(sorted, bins). Nothing for
// undefined metrics and fewer than 2 items.
std::array<std::optional<Interval>, kMetrics.size()> bootstrap(std::span<const Scored> sorted,
                                                               const MetricValues& estimates,
                                                               size_t bins,
                                                               const BootstrapOptions& options);

}  // namespace tinyarms::calibration
