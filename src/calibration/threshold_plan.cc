#include "calibration/threshold_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "calibration/training_set.h"

namespace tinyarms::calibration {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr size_t kPrices = 60;
constexpr size_t kScanned = 60;    // efficient plans whose neighbours are looked at
constexpr size_t kNeighbours = 200;  // efficient ones kept of a scan
constexpr int kSweepsMax = 20;

struct Outcome {
  double right = 0;
  double cost = 0;
  size_t tier = 0;
};

// From `tier` on, given that the question arrived there; the cost before is not counted.
Outcome follow(const CascadeOutcomes& outcomes, const std::vector<double>& thresholds, size_t row,
               size_t tier) {
  double cost = 0;
  for (; tier + 1 < outcomes.tiers(); ++tier) {
    cost += outcomes.cost[tier][row];
    if (outcomes.probability[tier][row] >= thresholds[tier]) {
      return {outcomes.right[tier][row], cost, tier};
    }
  }
  return {outcomes.right[tier][row], cost + outcomes.cost[tier][row], tier};
}

bool arrives(const CascadeOutcomes& outcomes, const std::vector<double>& thresholds, size_t row,
             size_t tier) {
  for (size_t t = 0; t < tier; ++t) {
    if (outcomes.probability[t][row] >= thresholds[t]) return false;
  }
  return true;
}

class Search {
 public:
  explicit Search(const CascadeOutcomes& outcomes) : outcomes_(outcomes) {
    for (const auto& column : outcomes.probability) {
      std::vector<size_t> order(outcomes.rows());
      std::iota(order.begin(), order.end(), size_t{0});
      std::sort(order.begin(), order.end(),
                [&](size_t a, size_t b) { return column[a] < column[b]; });
      orders_.push_back(std::move(order));
    }
  }

  // What every threshold of `tier` gives, the others fixed; the efficient ones, thinned out.
  void scan(size_t tier, const std::vector<double>& thresholds, std::vector<Plan>& found) const;

  // Improves `thresholds` for the price until nothing changes.
  void descend(double price, std::vector<double>& thresholds) const {
    for (int sweep = 0; sweep < kSweepsMax; ++sweep) {
      const std::vector<double> before = thresholds;
      for (size_t tier = thresholds.size(); tier-- > 0;) improve(price, tier, thresholds);
      if (thresholds == before) return;
    }
  }

 private:
  // Sums up, from the least sure row, what going on costs more than stopping; the best threshold
  // is where that sum is least. Rows up to it go on. Equal sums: the fewest go on.
  void improve(double price, size_t tier, std::vector<double>& thresholds) const {
    const std::vector<double>& column = outcomes_.probability[tier];
    const std::vector<size_t>& order = orders_[tier];
    double sum = 0;
    double best = 0;
    double threshold = 0;
    for (size_t i = 0; i < order.size();) {
      const double value = column[order[i]];
      for (; i < order.size() && column[order[i]] == value; ++i) {
        const size_t row = order[i];
        if (!arrives(outcomes_, thresholds, row, tier)) continue;
        const Outcome on = follow(outcomes_, thresholds, row, tier + 1);
        sum += on.cost - price * (on.right - outcomes_.right[tier][row]);
      }
      if (sum < best - 1e-12 * (1 + price)) {
        best = sum;
        threshold = i < order.size() ? column[order[i]] : kNever;
      }
    }
    thresholds[tier] = threshold;
  }

  const CascadeOutcomes& outcomes_;
  std::vector<std::vector<size_t>> orders_;
};

// Sorted by rising cost, each kept one more accurate than all before it.
void keep_efficient(std::vector<Plan>& plans) {
  std::sort(plans.begin(), plans.end(), [](const Plan& a, const Plan& b) {
    return a.cost != b.cost ? a.cost < b.cost : a.accuracy > b.accuracy;
  });
  size_t kept = 0;
  for (size_t i = 0; i < plans.size(); ++i) {
    if (kept > 0 && plans[i].accuracy <= plans[kept - 1].accuracy + 1e-12) continue;
    if (kept != i) plans[kept] = std::move(plans[i]);
    ++kept;
  }
  plans.resize(kept);
}

std::vector<Plan> thinned_plans(const std::vector<Plan>& plans, size_t count) {
  if (plans.size() <= count) return plans;
  std::vector<Plan> chosen;
  for (size_t i = 0; i < count; ++i) chosen.push_back(plans[i * (plans.size() - 1) / (count - 1)]);
  return chosen;
}

void Search::scan(size_t tier, const std::vector<double>& thresholds,
                  std::vector<Plan>& found) const {
  const std::vector<double>& column = outcomes_.probability[tier];
  const std::vector<size_t>& order = orders_[tier];
  std::vector<double> stopping = thresholds;
  stopping[tier] = 0;
  Plan plan = evaluate(outcomes_, stopping);
  plan.answered_by.clear();
  const auto n = static_cast<double>(outcomes_.rows());
  std::vector<Plan> local = {plan};
  for (size_t i = 0; i < order.size();) {
    const double value = column[order[i]];
    bool changed = false;
    for (; i < order.size() && column[order[i]] == value; ++i) {
      const size_t row = order[i];
      if (!arrives(outcomes_, thresholds, row, tier)) continue;
      const Outcome on = follow(outcomes_, thresholds, row, tier + 1);
      plan.cost += on.cost / n;
      plan.accuracy += (on.right - outcomes_.right[tier][row]) / n;
      changed = true;
    }
    if (!changed) continue;
    plan.thresholds[tier] = i < order.size() ? column[order[i]] : kNever;
    if (local.back().cost <= plan.cost && local.back().accuracy >= plan.accuracy) continue;
    local.push_back(plan);
  }
  keep_efficient(local);
  // A lone choice is searched exactly: nothing else fills what thinning would leave out.
  const size_t kept = outcomes_.tiers() > 2 ? kNeighbours : local.size();
  for (Plan& neighbour : thinned_plans(local, kept)) found.push_back(std::move(neighbour));
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

PlanChoice choose_by_risk(const CascadeOutcomes& outcomes, std::span<const uint64_t> keys,
                          const PlanTarget& target) {
  std::vector<size_t> plan_rows;
  std::vector<size_t> test_rows;
  for (size_t row = 0; row < keys.size(); ++row) {
    (fold_of(keys[row], 2, 99) == 0 ? plan_rows : test_rows).push_back(row);
  }
  PlanChoice choice;
  if (plan_rows.empty() || test_rows.empty()) return choice;
  std::vector<Plan> plans = efficient_plans(outcomes.subset(plan_rows));
  const CascadeOutcomes test = outcomes.subset(test_rows);
  const double delta = 1 - target.confidence;
  for (auto plan = plans.rbegin(); plan != plans.rend(); ++plan) {
    const Plan tested = evaluate(test, plan->thresholds);
    const auto n = static_cast<double>(test.rows());
    const auto wrong = static_cast<uint64_t>(std::llround((1 - tested.accuracy) * n));
    const Count count{wrong, test.rows()};
    const bool passes = binomial_cdf(count, target.value) <= delta;
    if (!passes && choice.feasible) break;
    choice.feasible = passes;
    choice.plan = evaluate(outcomes, plan->thresholds);
    choice.risk_bound = clopper_pearson_upper(count, delta);
    if (!passes) break;
  }
  return choice;
}

}  // namespace

CascadeOutcomes CascadeOutcomes::subset(std::span<const size_t> chosen) const {
  const auto pick = [&](const std::vector<std::vector<double>>& columns) {
    std::vector<std::vector<double>> picked;
    for (const auto& column : columns) {
      picked.emplace_back();
      for (const size_t row : chosen) picked.back().push_back(column[row]);
    }
    return picked;
  };
  return {pick(probability), pick(right), pick(cost)};
}

Plan evaluate(const CascadeOutcomes& outcomes, const std::vector<double>& thresholds) {
  Plan plan{.thresholds = thresholds,
            .accuracy = 0,
            .cost = 0,
            .answered_by = std::vector<double>(outcomes.tiers(), 0)};
  for (size_t row = 0; row < outcomes.rows(); ++row) {
    const Outcome outcome = follow(outcomes, thresholds, row, 0);
    plan.accuracy += outcome.right;
    plan.cost += outcome.cost;
    plan.answered_by[outcome.tier] += 1;
  }
  const auto n = static_cast<double>(std::max<size_t>(1, outcomes.rows()));
  plan.accuracy /= n;
  plan.cost /= n;
  for (double& share : plan.answered_by) share /= n;
  return plan;
}

std::vector<Plan> efficient_plans(const CascadeOutcomes& outcomes) {
  const Search search(outcomes);
  const size_t choices = outcomes.tiers() - 1;
  std::vector<Plan> plans = {evaluate(outcomes, std::vector<double>(choices, 0))};
  double scale = 0;  // of the price: all tiers' costs together
  for (const auto& column : outcomes.cost) scale += mean_of(column);
  // With one choice the scan alone sees everything.
  std::vector<double> warm(choices, 0);
  for (size_t i = 0; choices > 1 && i < kPrices; ++i) {
    // From 1/1000 to 10 million times the cost.
    const double price = scale * std::pow(10, -3 + 10.0 * static_cast<double>(i) / (kPrices - 1));
    for (const double start : {-1.0, 0.0, kNever}) {
      // From the last price's plan, from "stop at once" and from "always go on".
      std::vector<double> thresholds = start < 0 ? warm : std::vector<double>(choices, start);
      search.descend(price, thresholds);
      plans.push_back(evaluate(outcomes, thresholds));
      if (start < 0) warm = std::move(thresholds);
    }
  }
  keep_efficient(plans);
  // A price finds only the corners of the frontier; what lies between is near them.
  for (int round = 0; round < (choices > 1 ? 3 : 1); ++round) {
    for (const Plan& plan : thinned_plans(plans, kScanned)) {
      for (size_t tier = 0; tier < choices; ++tier) search.scan(tier, plan.thresholds, plans);
    }
    keep_efficient(plans);
  }
  return plans;
}

PlanChoice choose_plan(const CascadeOutcomes& outcomes, std::span<const uint64_t> keys,
                       const PlanTarget& target) {
  if (target.kind == TargetKind::MaxRisk) return choose_by_risk(outcomes, keys, target);
  const std::vector<Plan> plans = efficient_plans(outcomes);
  PlanChoice choice;
  size_t chosen = 0;
  if (target.kind == TargetKind::Accuracy) {
    while (chosen + 1 < plans.size() && plans[chosen].accuracy < target.value - 1e-12) ++chosen;
    choice.feasible = plans[chosen].accuracy >= target.value - 1e-12;
  } else {
    while (chosen + 1 < plans.size() && plans[chosen + 1].cost <= target.value) ++chosen;
    choice.feasible = plans[chosen].cost <= target.value;
  }
  choice.plan = evaluate(outcomes, plans[chosen].thresholds);
  return choice;
}

PlanIntervals bootstrap_plan(const CascadeOutcomes& outcomes, const std::vector<double>& thresholds,
                             const BootstrapOptions& options) {
  std::vector<Outcome> results;
  for (size_t row = 0; row < outcomes.rows(); ++row) {
    results.push_back(follow(outcomes, thresholds, row, 0));
  }
  const size_t count = std::min(results.size(), options.records_max);
  const double scale = std::sqrt(static_cast<double>(count) / static_cast<double>(results.size()));
  Random random(options.seed);
  std::vector<double> accuracies;
  std::vector<double> costs;
  for (size_t round = 0; round < options.resamples; ++round) {
    double right = 0;
    double cost = 0;
    for (size_t i = 0; i < count; ++i) {
      const Outcome& outcome = results[random.below(results.size())];
      right += outcome.right;
      cost += outcome.cost;
    }
    accuracies.push_back(right / static_cast<double>(count));
    costs.push_back(cost / static_cast<double>(count));
  }
  const Plan plan = evaluate(outcomes, thresholds);
  PlanIntervals intervals{{plan.accuracy, plan.accuracy}, {plan.cost, plan.cost}};
  if (auto accuracy = bootstrap_interval(plan.accuracy, accuracies, scale, options.confidence)) {
    intervals.accuracy = {std::max(0.0, accuracy->low), std::min(1.0, accuracy->high)};
  }
  if (auto cost = bootstrap_interval(plan.cost, costs, scale, options.confidence)) {
    intervals.cost = *cost;
  }
  return intervals;
}

}  // namespace tinyarms::calibration
