#include "calibration/isotonic.h"

#include <algorithm>
#include <cmath>

namespace tinyarms::calibration {
namespace {

constexpr double kSameScore = 1e-15;

struct Block {
  double weight = 0;
  double sum = 0;
  size_t count = 0;
  double mean() const { return sum / weight; }
};

Error bad(const char* what) {
  return Error{ErrorCode::InvalidArgument, what, "isotonic fit", "check the scores and labels"};
}

// One item a distinct score: the mean outcome and the whole weight.
std::vector<Scored> merge_ties(const std::vector<Scored>& sorted) {
  std::vector<Scored> merged;
  double sum = 0;
  for (const Scored& item : sorted) {
    if (merged.empty() || item.score - merged.back().score >= kSameScore) {
      merged.push_back({item.score, item.outcome, item.weight});
      sum = item.weight * item.outcome;
      continue;
    }
    merged.back().weight += item.weight;
    sum += item.weight * item.outcome;
    merged.back().outcome = sum / merged.back().weight;
  }
  return merged;
}

}  // namespace

std::vector<double> pool_adjacent_violators(std::span<const double> values,
                                            std::span<const double> weights) {
  std::vector<Block> blocks;
  for (size_t i = 0; i < values.size(); ++i) {
    Block block{weights[i], weights[i] * values[i], 1};
    // A lone value is taken as it is: weight · value / weight may round.
    double mean = values[i];
    while (!blocks.empty() &&
           (blocks.back().count == 1 ? values[i - block.count] : blocks.back().mean()) > mean) {
      block.weight += blocks.back().weight;
      block.sum += blocks.back().sum;
      block.count += blocks.back().count;
      mean = block.mean();
      blocks.pop_back();
    }
    blocks.push_back(block);
  }
  std::vector<double> fit;
  fit.reserve(values.size());
  for (const Block& block : blocks) {
    fit.insert(fit.end(), block.count, block.count == 1 ? values[fit.size()] : block.mean());
  }
  return fit;
}

double IsotonicFit::operator()(double score) const {
  if (x.size() == 1 || score < x.front()) return y.front();
  if (score >= x.back()) return y.back();
  const size_t above = static_cast<size_t>(std::upper_bound(x.begin(), x.end(), score) - x.begin());
  const size_t below = above - 1;
  if (score == x[below]) return y[below];
  const double slope = (y[above] - y[below]) / (x[above] - x[below]);
  return std::clamp(slope * (score - x[below]) + y[below], y[below], y[above]);
}

Result<IsotonicFit> fit_isotonic(std::span<const Scored> items) {
  std::vector<Scored> sorted;
  for (const Scored& item : items) {
    if (!std::isfinite(item.score)) return bad("a score is not finite");
    if (!(item.outcome >= 0 && item.outcome <= 1)) return bad("an outcome is outside [0, 1]");
    if (!(item.weight >= 0 && std::isfinite(item.weight))) return bad("a weight is not ≥ 0");
    if (item.weight > 0) sorted.push_back(item);
  }
  if (sorted.empty()) return bad("nothing to fit");
  std::sort(sorted.begin(), sorted.end(), [](const Scored& a, const Scored& b) {
    return a.score != b.score ? a.score < b.score : a.outcome < b.outcome;
  });
  IsotonicFit fit;
  fit.records = sorted.size();
  const std::vector<Scored> merged = merge_ties(sorted);
  std::vector<double> values;
  std::vector<double> weights;
  for (const Scored& item : merged) {
    values.push_back(item.outcome);
    weights.push_back(item.weight);
  }
  const std::vector<double> fitted = pool_adjacent_violators(values, weights);
  for (size_t i = 0; i < merged.size(); ++i) {
    const bool inner = i > 0 && i + 1 < merged.size();
    if (inner && fitted[i - 1] == fitted[i] && fitted[i + 1] == fitted[i]) continue;
    fit.x.push_back(merged[i].score);
    fit.y.push_back(fitted[i]);
  }
  return fit;
}

}  // namespace tinyarms::calibration
