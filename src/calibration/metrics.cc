#include "calibration/metrics.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <limits>
#include <system_error>
#include <thread>

#include "calibration/reliability.h"

namespace tinyarms::calibration {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr double kProbabilityFloor = 1e-15;

struct Masses {
  double right = 0;
  double wrong = 0;
};

Masses total(std::span<const Scored> items) {
  Masses sum;
  for (const Scored& item : items) {
    sum.right += item.weight * item.outcome;
    sum.wrong += item.weight * (1 - item.outcome);
  }
  return sum;
}

double auroc(std::span<const Scored> items, const Masses& all) {
  double sum = 0;
  double wrong_below = 0;
  for (size_t begin = 0; begin < items.size();) {
    const size_t end = end_of_tie(items, begin);
    const Masses tie = total(items.subspan(begin, end - begin));
    sum += tie.right * (wrong_below + 0.5 * tie.wrong);
    wrong_below += tie.wrong;
    begin = end;
  }
  return sum / (all.right * all.wrong);
}

// From the highest score down; calls visit(tie, its first index, its end).
template <typename Visit>
void descend(std::span<const Scored> items, const Visit& visit) {
  for (size_t end = items.size(); end > 0;) {
    size_t begin = end - 1;
    while (begin > 0 && items[begin - 1].score == items[end - 1].score) --begin;
    visit(total(items.subspan(begin, end - begin)), begin, end);
    end = begin;
  }
}

double average_precision(std::span<const Scored> items, const Masses& all) {
  double sum = 0;
  Masses kept;
  descend(items, [&](const Masses& tie, size_t, size_t) {
    kept.right += tie.right;
    kept.wrong += tie.wrong;
    sum += tie.right * kept.right / (kept.right + kept.wrong);
  });
  return sum / all.right;
}

double area_under_risk_coverage(std::span<const Scored> items, const Masses& all) {
  double sum = 0;
  Masses kept;
  descend(items, [&](const Masses& tie, size_t begin, size_t end) {
    // In a random order of the tie its errors come evenly, in expectation.
    const auto count = static_cast<double>(end - begin);
    const double step = (tie.right + tie.wrong) / count;
    const double wrong_step = tie.wrong / count;
    const double before = kept.right + kept.wrong;
    for (size_t i = 1; i <= end - begin; ++i) {
      const auto taken = static_cast<double>(i);
      sum += step * (kept.wrong + wrong_step * taken) / (before + step * taken);
    }
    kept.right += tie.right;
    kept.wrong += tie.wrong;
  });
  return sum / (all.right + all.wrong);
}

// The negative log-likelihood of each item; NaN of what is no probability.
std::vector<double> log_losses(std::span<const Scored> items) {
  std::vector<double> losses;
  losses.reserve(items.size());
  for (const Scored& item : items) {
    const double p = std::clamp(item.score, kProbabilityFloor, 1 - kProbabilityFloor);
    double loss = item.score >= 0 && item.score <= 1 ? 0 : kUndefined;
    if (item.outcome > 0) loss -= item.outcome * std::log(p);
    if (item.outcome < 1) loss -= (1 - item.outcome) * std::log1p(-p);
    losses.push_back(loss);
  }
  return losses;
}

double weighted_mean(std::span<const Scored> items, std::span<const double> values) {
  double sum = 0;
  double weight = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    sum += items[i].weight * values[i];
    weight += items[i].weight;
  }
  return sum / weight;
}

// Calls work(first, step) so that every step-th piece from each first on is done, by as many
// threads as the amount is worth.
template <typename Work>
void share_out(size_t amount, const Work& work) {
  constexpr size_t kWorthAThread = 1'000'000;
  constexpr size_t kThreadsMax = 8;
  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  const size_t threads = std::clamp(amount / kWorthAThread, size_t{1},
                                    std::min(cores, kThreadsMax));
  std::vector<std::future<void>> others;
  for (size_t i = 1; i < threads; ++i) {
    try {
      others.push_back(std::async(std::launch::async, [&work, i, threads] { work(i, threads); }));
    } catch (const std::system_error&) {  // no thread to be had
      work(i, threads);
    }
  }
  work(0, threads);
  for (std::future<void>& other : others) other.wait();
}

double type7_quantile(std::span<double> sorted, double fraction) {
  const double position = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

// With the log losses at hand: a resample has those of its items, and a logarithm costs more than
// all else that is done for one.
MetricValues measure_beside(std::span<const Scored> sorted, std::span<const double> losses,
                            size_t bins) {
  MetricValues result{};
  const Masses all = total(sorted);
  const bool two_classes = all.right > 0 && all.wrong > 0;
  result[Metric::Accuracy] = all.right / (all.right + all.wrong);
  result[Metric::Auroc] = two_classes ? auroc(sorted, all) : kUndefined;
  result[Metric::Auprc] = all.right > 0 ? average_precision(sorted, all) : kUndefined;
  result[Metric::Aurc] = area_under_risk_coverage(sorted, all);
  const bool probabilities = sorted.front().score >= 0 && sorted.back().score <= 1;
  const auto ece = [&](Binning binning) {
    if (!probabilities) return kUndefined;
    return expected_calibration_error(reliability_of_sorted(sorted, bins, binning));
  };
  result[Metric::Brier] = probabilities ? brier_score(sorted) : kUndefined;
  result[Metric::Nll] = probabilities ? weighted_mean(sorted, losses) : kUndefined;
  result[Metric::EceWidth] = ece(Binning::EqualWidth);
  result[Metric::EceMass] = ece(Binning::EqualMass);
  result[Metric::EceAdaptive] = ece(Binning::Adaptive);
  return result;
}

}  // namespace

std::string_view metric_name(Metric metric) {
  switch (metric) {
    case Metric::Accuracy: return "accuracy";
    case Metric::Auroc: return "auroc";
    case Metric::Auprc: return "auprc";
    case Metric::Aurc: return "aurc";
    case Metric::Brier: return "brier";
    case Metric::Nll: return "nll";
    case Metric::EceWidth: return "ece_equal_width";
    case Metric::EceMass: return "ece_equal_mass";
    case Metric::EceAdaptive: return "ece_adaptive";
  }
  return "";
}

MetricValues measure(std::span<const Scored> sorted, size_t bins) {
  return measure_beside(sorted, log_losses(sorted), bins);
}

std::vector<RiskCoveragePoint> risk_coverage(std::span<const Scored> sorted, size_t points) {
  std::vector<RiskCoveragePoint> all;
  const Masses sum = total(sorted);
  Masses kept;
  descend(sorted, [&](const Masses& tie, size_t begin, size_t) {
    kept.right += tie.right;
    kept.wrong += tie.wrong;
    const double weight = kept.right + kept.wrong;
    all.push_back({sorted[begin].score, weight / (sum.right + sum.wrong), kept.wrong / weight});
  });
  std::reverse(all.begin(), all.end());
  if (all.size() <= points || points < 2) return all;
  std::vector<RiskCoveragePoint> chosen;
  for (size_t i = 0; i < points; ++i) {
    chosen.push_back(all[i * (all.size() - 1) / (points - 1)]);
  }
  return chosen;
}

void draw_sorted(Random& random, size_t size, size_t count, std::vector<size_t>& indices) {
  // Partial sums of exponentials over their total are sorted uniforms.
  std::vector<double> sums(count);
  double sum = 0;
  for (double& value : sums) value = sum -= std::log1p(-random.uniform());
  sum -= std::log1p(-random.uniform());
  indices.resize(count);
  for (size_t i = 0; i < count; ++i) {
    indices[i] = std::min(size - 1, static_cast<size_t>(static_cast<double>(size) * sums[i] / sum));
  }
}

std::optional<Interval> bootstrap_interval(double estimate, std::span<double> replicates,
                                           double scale, double confidence) {
  const auto end = std::remove_if(replicates.begin(), replicates.end(),
                                  [](double value) { return std::isnan(value); });
  const auto defined = static_cast<size_t>(end - replicates.begin());
  if (std::isnan(estimate) || defined == 0 || defined * 2 < replicates.size()) return std::nullopt;
  const std::span<double> sorted = replicates.first(defined);
  std::sort(sorted.begin(), sorted.end());
  const double tail = (1 - confidence) / 2;
  const double middle = type7_quantile(sorted, 0.5);
  return Interval{estimate + scale * (type7_quantile(sorted, tail) - middle),
                  estimate + scale * (type7_quantile(sorted, 1 - tail) - middle)};
}

std::array<std::optional<Interval>, kMetrics.size()> bootstrap(std::span<const Scored> sorted,
                                                               const MetricValues& estimates,
                                                               size_t bins,
                                                               const BootstrapOptions& options) {
  std::array<std::optional<Interval>, kMetrics.size()> intervals;
  if (sorted.size() < 2) return intervals;
  const size_t count = std::min(sorted.size(), options.records_max);
  const double scale =
      std::sqrt(static_cast<double>(count) / static_cast<double>(sorted.size()));
  // Every round draws by itself, so that the result does not depend on who computes it.
  std::vector<MetricValues> drawn(options.resamples);
  const std::vector<double> losses = log_losses(sorted);
  const auto work = [&](size_t first, size_t step) {
    std::vector<size_t> indices;
    std::vector<Scored> sample(count);
    std::vector<double> sample_losses(count);
    for (size_t round = first; round < drawn.size(); round += step) {
      Random random(mix64(options.seed) ^ round);
      draw_sorted(random, sorted.size(), count, indices);
      for (size_t i = 0; i < count; ++i) {
        sample[i] = sorted[indices[i]];
        sample_losses[i] = losses[indices[i]];
      }
      drawn[round] = measure_beside(sample, sample_losses, bins);
    }
  };
  share_out(count * options.resamples, work);
  std::array<std::vector<double>, kMetrics.size()> replicates;
  for (const MetricValues& values : drawn) {
    for (size_t m = 0; m < kMetrics.size(); ++m) replicates[m].push_back(values.values[m]);
  }
  for (size_t m = 0; m < kMetrics.size(); ++m) {
    auto interval =
        bootstrap_interval(estimates.values[m], replicates[m], scale, options.confidence);
    if (!interval) continue;
    interval->low = std::max(0.0, interval->low);
    if (kMetrics[m] != Metric::Nll) interval->high = std::min(1.0, interval->high);
    intervals[m] = interval;
  }
  return intervals;
}

}  // namespace tinyarms::calibration
