// Rates with intervals, and differences between two runs over the same items. All intervals are
// 95 %.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calibration/special_functions.h"

namespace tinyarms::eval {

using calibration::Count;
using calibration::Interval;

inline double percent(double share) { return 100 * share; }

// The score interval of a proportion (Wilson 1927). Without trials: 0 and 1.
Interval wilson(Count count);

// The chance that at least one of k samples is right, from n samples of which c are: the unbiased
// 1 − C(n−c, k) / C(n, k) (Chen et al. 2021). 1 ≤ k ≤ n.
struct Samples {
  uint64_t drawn = 0;
  uint64_t correct = 0;
};
double pass_at_k(Samples samples, uint64_t k);

// Of the mean of `values`: percentile bootstrap over them, seeded. Equal ends where all are equal;
// 0 values: 0 and 1.
struct ResampleOptions {
  size_t resamples = 2000;
  uint64_t seed = 1;
};
Interval bootstrap_mean(std::span<const double> values, const ResampleOptions& options = {});

// The same of values within [-1, 1] that cannot leave `range`. Where all are equal, resampling
// shows nothing: the interval then reaches as far as Wilson's does for none of as many trials.
Interval bootstrap_bounded_mean(std::span<const double> values, Interval range,
                                const ResampleOptions& options = {});

// Two subjects over the same items. `only_first`: right where the other was wrong.
struct Paired {
  uint64_t items = 0;
  double first = 0;       // mean score
  double second = 0;
  double difference = 0;  // second − first
  Interval interval;      // of the difference: paired bootstrap over items
  uint64_t only_first = 0;
  uint64_t only_second = 0;
  double p_value = 1;     // exact two-sided McNemar test over the discordant items
};

// Scores are shares of right samples in [0, 1], paired by index; an item counts as right for
// McNemar's test from one half up. The spans have one length.
struct ScorePair {
  double first = 0;
  double second = 0;
};
Paired compare(std::span<const ScorePair> items, const ResampleOptions& options = {});

// Rank correlation with average ranks for ties (Spearman 1904). NaN where one side is constant or
// there are fewer than 2 points.
struct Point {
  double x = 0;
  double y = 0;
};
double spearman(std::span<const Point> points);
Interval bootstrap_spearman(std::span<const Point> points, const ResampleOptions& options = {});

}  // namespace tinyarms::eval
