#include "calibration/baselines.h"

#include <algorithm>
#include <limits>

#include "calibration/calibrator.h"
#include "calibration/cross_fit.h"
#include "calibration/training_set.h"

namespace tinyarms::calibration {
namespace {

constexpr size_t kCurvePoints = 21;

class Pool {
 public:
  Pool(const Dataset& data, const std::vector<size_t>& rows) : data_(data), rows_(rows) {}

  size_t size() const { return rows_.size(); }
  size_t row(size_t i) const { return rows_[i]; }
  double right(size_t tier, size_t i) const {
    return data_.tiers[tier].labels[rows_[i]] == Label::Right ? 1 : 0;
  }
  double cost(size_t tier, size_t i) const { return data_.tiers[tier].costs[rows_[i]]; }
  size_t last() const { return data_.tiers.size() - 1; }

  Baseline fixed(std::string name, size_t tier) const {
    Baseline baseline{.name = std::move(name)};
    for (size_t i = 0; i < size(); ++i) {
      baseline.accuracy += right(tier, i) / static_cast<double>(size());
      baseline.cost += cost(tier, i) / static_cast<double>(size());
    }
    return baseline;
  }

  Baseline routed(std::string name, const std::vector<double>& scores, CostModel model,
                  double plan_cost, const BootstrapOptions& options) const {
    std::vector<RoutedItem> items;
    for (size_t i = 0; i < size(); ++i) {
      items.push_back({scores[i], right(0, i), right(last(), i), cost(0, i), cost(last(), i)});
    }
    sort_by_score(items);
    const auto curve = routing_curve(items, model);
    const double low = std::min(curve.front().cost, curve.back().cost);
    const double high = std::max(curve.front().cost, curve.back().cost);
    return {.name = std::move(name),
            .accuracy = accuracy_at_cost(curve, plan_cost),
            .cost = std::clamp(plan_cost, low, high),
            .summary = summarise(curve),
            .intervals = bootstrap_routing(items, options),
            .curve = true,
            .points = thinned(curve, kCurvePoints)};
  }

 private:
  const Dataset& data_;
  const std::vector<size_t>& rows_;
};

Baseline best_fixed(const Pool& pool, size_t tiers) {
  Baseline best = pool.fixed("best_fixed", 0);
  for (size_t tier = 1; tier < tiers; ++tier) {
    const Baseline other = pool.fixed("best_fixed", tier);
    const bool cheaper = other.accuracy == best.accuracy && other.cost < best.cost;
    if (other.accuracy > best.accuracy || cheaper) best = other;
  }
  return best;
}

Baseline oracle(const Pool& pool, size_t tiers) {
  Baseline result{.name = "oracle"};
  for (size_t i = 0; i < pool.size(); ++i) {
    size_t best = tiers;
    size_t cheapest = 0;
    for (size_t tier = 0; tier < tiers; ++tier) {
      if (pool.cost(tier, i) < pool.cost(cheapest, i)) cheapest = tier;
      if (pool.right(tier, i) == 0) continue;
      if (best == tiers || pool.cost(tier, i) < pool.cost(best, i)) best = tier;
    }
    const size_t taken = best == tiers ? cheapest : best;
    result.accuracy += pool.right(taken, i) / static_cast<double>(pool.size());
    result.cost += pool.cost(taken, i) / static_cast<double>(pool.size());
  }
  return result;
}

// The small tier's success among the other records of the group, drawn to the overall rate.
std::vector<double> group_scores(const Dataset& data, const Pool& pool) {
  std::vector<double> right(data.groups.size(), 0);
  std::vector<double> count(data.groups.size(), 0);
  double all = 0;
  for (size_t i = 0; i < pool.size(); ++i) {
    right[data.group[pool.row(i)]] += pool.right(0, i);
    count[data.group[pool.row(i)]] += 1;
    all += pool.right(0, i) / static_cast<double>(pool.size());
  }
  // By folds, not leave-one-out: that would let the own label show through.
  constexpr size_t kFolds = 5;
  std::vector<std::vector<double>> fold_right(kFolds, right);
  std::vector<std::vector<double>> fold_count(kFolds, count);
  for (size_t i = 0; i < pool.size(); ++i) {
    const size_t fold = fold_of(data.keys[pool.row(i)], kFolds, 5);
    fold_right[fold][data.group[pool.row(i)]] -= pool.right(0, i);
    fold_count[fold][data.group[pool.row(i)]] -= 1;
  }
  std::vector<double> scores;
  for (size_t i = 0; i < pool.size(); ++i) {
    const size_t fold = fold_of(data.keys[pool.row(i)], kFolds, 5);
    const uint32_t group = data.group[pool.row(i)];
    scores.push_back((fold_right[fold][group] + all) / (fold_count[fold][group] + 1));
  }
  return scores;
}

std::optional<std::vector<double>> feature_scores(const Dataset& data, const Pool& pool) {
  TrainingSet set;
  set.columns.resize(kPromptFeatures);
  for (size_t f = 0; f < kPromptFeatures; ++f) set.signals.emplace_back(prompt_feature_name(f));
  for (size_t i = 0; i < pool.size(); ++i) {
    const PromptFeatures& features = data.prompts[pool.row(i)];
    for (size_t f = 0; f < kPromptFeatures; ++f) set.columns[f].push_back(features[f]);
    set.right.push_back(pool.right(0, i));
    set.keys.push_back(data.keys[pool.row(i)]);
  }
  auto fit = cross_fit(set, {.families = {Family::Logistic}});
  if (!fit) return std::nullopt;
  return std::move(fit->held_out);
}

}  // namespace

std::vector<Baseline> baselines(const Dataset& data, const std::vector<size_t>& rows,
                                double plan_cost, const BootstrapOptions& options) {
  const Pool pool(data, rows);
  const size_t tiers = data.tiers.size();
  std::vector<Baseline> all = {pool.fixed("always_small", 0),
                               pool.fixed("always_large", tiers - 1), best_fixed(pool, tiers)};
  const auto route = [&](const char* name, const std::vector<double>& scores, CostModel model) {
    all.push_back(pool.routed(name, scores, model, plan_cost, options));
  };
  route("random", std::vector<double>(pool.size(), 0), CostModel::Router);
  const bool prompts = !data.prompts.empty() && data.rows_with_prompt == data.rows();
  if (prompts) {
    std::vector<double> scores;
    for (size_t i = 0; i < pool.size(); ++i) scores.push_back(-data.prompts[pool.row(i)][0]);
    route("prompt_length", scores, CostModel::Router);
  }
  if (data.groups.size() > 1) route("group_prior", group_scores(data, pool), CostModel::Router);
  if (prompts) {
    if (const auto scores = feature_scores(data, pool)) {
      route("prompt_features", *scores, CostModel::Router);
    }
  }
  std::vector<double> known;
  for (size_t i = 0; i < pool.size(); ++i) known.push_back(pool.right(0, i));
  route("perfect_detector", known, CostModel::Cascade);
  all.push_back(oracle(pool, tiers));
  return all;
}

}  // namespace tinyarms::calibration
