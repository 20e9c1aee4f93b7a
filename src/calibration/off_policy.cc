#include "calibration/off_policy.h"

#include <fmt/format.h>

#include "calibration/random.h"

namespace tinyarms::calibration {
namespace {

// Σw·right / Σw over the drawn decisions; nothing where no weight was drawn.
std::optional<double> weighted_mean(std::span<const WeighedDecision> decisions,
                                    std::span<const size_t> drawn) {
  double weights = 0;
  double right = 0;
  for (const size_t i : drawn) {
    weights += decisions[i].weight;
    right += decisions[i].weight * *decisions[i].right;
  }
  if (weights <= 0) return std::nullopt;
  return right / weights;
}

}  // namespace

void Fates::count(std::optional<bool> before, std::optional<bool> after) {
  if (!before || !after) {
    ++unknown;
  } else if (*before) {
    ++(*after ? safe : loss);
  } else {
    ++(*after ? rescue : hard);
  }
}

OffPolicyEstimate estimate_off_policy(std::span<const WeighedDecision> decisions,
                                      const OffPolicyLimits& limits,
                                      const BootstrapOptions& bootstrap) {
  OffPolicyEstimate estimate;
  std::vector<size_t> known;
  double unsupported = 0;
  double weights = 0;
  double squares = 0;
  double all_weights = 0;
  double costs = 0;
  for (size_t i = 0; i < decisions.size(); ++i) {
    const WeighedDecision& one = decisions[i];
    unsupported += one.supported ? 0 : 1;
    all_weights += one.weight;
    costs += one.weight * one.cost;
    if (!one.right) continue;
    known.push_back(i);
    weights += one.weight;
    squares += one.weight * one.weight;
  }
  if (decisions.empty()) {
    estimate.why_not = "there are no decisions";
    return estimate;
  }
  estimate.unsupported_share = unsupported / static_cast<double>(decisions.size());
  estimate.effective = squares > 0 ? weights * weights / squares : 0;
  if (estimate.unsupported_share > limits.unsupported_max) {
    estimate.why_not = fmt::format("in {:.1f} % of the decisions it wants what the log never tried",
                                   100 * estimate.unsupported_share);
    return estimate;
  }
  if (estimate.effective < limits.effective_min) {
    estimate.why_not = fmt::format("the outcomes that count for it are worth {:.1f} decisions",
                                   estimate.effective);
    return estimate;
  }
  estimate.accuracy = weighted_mean(decisions, known);
  estimate.cost = costs / all_weights;
  Random random(bootstrap.seed);
  std::vector<double> replicates;
  std::vector<size_t> drawn;
  std::vector<size_t> indices;
  for (size_t round = 0; round < bootstrap.resamples; ++round) {
    draw_sorted(random, known.size(), known.size(), drawn);
    indices.clear();
    for (const size_t i : drawn) indices.push_back(known[i]);
    if (auto mean = weighted_mean(decisions, indices)) replicates.push_back(*mean);
  }
  if (auto interval =
          bootstrap_interval(*estimate.accuracy, replicates, 1, bootstrap.confidence)) {
    estimate.accuracy_interval = *interval;
  }
  return estimate;
}

}  // namespace tinyarms::calibration
