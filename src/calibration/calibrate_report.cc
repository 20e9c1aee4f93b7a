#include "calibration/calibrate_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/sha256.h"
#include "calibration/margin_trace.h"

namespace tinyarms::calibration {
namespace {

Error bad_target(const std::string& text) {
  return Error{ErrorCode::InvalidArgument, fmt::format("`{}` is not a target", text), "--target",
               "accuracy=0.85, cost=0.4 or cost=40%"};
}

// Rows answered by every tier: only they can tell what another threshold would have done.
std::vector<size_t> complete_rows(const Dataset& data) {
  std::vector<size_t> rows;
  for (size_t row = 0; row < data.rows(); ++row) {
    const bool complete = std::all_of(data.tiers.begin(), data.tiers.end(), [&](const auto& tier) {
      return tier.labels[row] != Label::Absent;
    });
    if (complete) rows.push_back(row);
  }
  return rows;
}

Result<CalibratorSetFit> fit_tier(const Dataset& data, const TierColumns& tier,
                                  const CalibrateRequest& request, CascadeOutcomes& outcomes,
                                  const std::vector<size_t>& rows) {
  auto set = training_set(data, tier, request.signals);
  if (!set) return set.error();
  auto fit = fit_calibrator_set(*set, request.fit);
  if (!fit) return fit.error().wrap(fmt::format("tier `{}`", tier.name));
  fit->set.tier = tier.name;
  fit->set.identity = {tier.model_sha, tier.quantization, request.engine, request.sampler};
  std::vector<double> by_row(data.rows(), 0);
  for (size_t i = 0; i < set->size(); ++i) by_row[set->row[i]] = fit->held_out[i];
  std::vector<double>& column = outcomes.probability.emplace_back();
  for (const size_t row : rows) column.push_back(by_row[row]);
  return fit;
}

// Records of others often hold outcomes alone. The question is then all that a plan can go by.
bool lend_prompt_features(Dataset& data) {
  if (data.prompts.empty() || data.rows_with_prompt != data.rows()) return false;
  bool lent = false;
  for (size_t t = 0; t + 1 < data.tiers.size(); ++t) {
    TierColumns& tier = data.tiers[t];
    if (!tier.signals.empty()) continue;
    lent = true;
    for (size_t f = 0; f < kPromptFeatures; ++f) {
      SignalColumn& column = tier.signals.emplace_back();
      column.name = fmt::format("prompt_{}", prompt_feature_name(f));
      for (const PromptFeatures& features : data.prompts) column.values.push_back(features[f]);
    }
  }
  return lent;
}

// The one thing that nobody should have to find in a table.
void note_dominated(CalibrateReport& report) {
  const Plan& plan = report.choice.plan;
  for (const Baseline& baseline : report.baselines) {
    if (baseline.name != "best_fixed") continue;
    if (baseline.accuracy < plan.accuracy || baseline.cost >= plan.cost) continue;
    report.notes.push_back(
        fmt::format("asking one tier alone is better in both: accuracy {:.4f} at cost {:.4g}; "
                    "a cascade does not pay on these records",
                    baseline.accuracy, baseline.cost));
  }
}

// What tiers from `tier` on would answer by the plan.
bool right_from(const CascadeOutcomes& outcomes, const Plan& plan, size_t tier, size_t row) {
  while (tier + 1 < outcomes.tiers() &&
         outcomes.probability[tier][row] < plan.thresholds[tier]) {
    ++tier;
  }
  return outcomes.right[tier][row] > 0.5;
}

void fit_early_aborts(const Dataset& data, const std::vector<size_t>& rows,
                      const CascadeOutcomes& outcomes, const CalibrateRequest& request,
                      CalibrateReport& report) {
  const EarlyAbortTarget target{.lost_max = *request.early_abort,
                                .confidence = request.bootstrap.confidence};
  const Plan& plan = report.choice.plan;
  for (size_t t = 0; t + 1 < outcomes.tiers(); ++t) {
    std::vector<WatchedAnswer> answers;
    for (size_t i = 0; i < rows.size(); ++i) {
      WatchedAnswer& answer = answers.emplace_back();
      answer.steps = *read_margin_steps(data.tiers[t].margin_traces[rows[i]]);
      answer.right = outcomes.right[t][i] > 0.5;
      answer.kept = outcomes.probability[t][i] >= plan.thresholds[t];
      answer.right_above = right_from(outcomes, plan, t + 1, i);
      answer.key = data.keys[rows[i]];
    }
    TierEarlyAbort& fitted = report.early_aborts.emplace_back();
    fitted.tier = report.tiers[t];
    fitted.choice = fit_early_abort(answers, target);
    if (!fitted.choice.fit) continue;
    fitted.outcome = replay_early_abort(answers, fitted.choice.fit->test, request.bootstrap);
    fitted.held_out = held_out_early_abort(answers, target, request.bootstrap);
    const CalibratorSet& set = report.calibrators[t].set;
    fitted.file = EarlyAbortFile{.tier = set.tier,
                                 .identity = set.identity,
                                 .calibrator = sha256_hex(calibrators_json(set)),
                                 .kept_from = plan.thresholds[t],
                                 .fit = *fitted.choice.fit};
  }
}

Plan cross_check(const CascadeOutcomes& outcomes, const std::vector<uint64_t>& keys,
                 const PlanTarget& target) {
  std::array<std::vector<size_t>, 2> halves;
  for (size_t row = 0; row < keys.size(); ++row) {
    halves[fold_of(keys[row], 2, 7)].push_back(row);
  }
  Plan sum;
  sum.answered_by.assign(outcomes.tiers(), 0);
  if (halves[0].empty() || halves[1].empty()) return sum;
  for (size_t h = 0; h < 2; ++h) {
    std::vector<uint64_t> part;
    for (const size_t row : halves[h]) part.push_back(keys[row]);
    const PlanChoice choice = choose_plan(outcomes.subset(halves[h]), part, target);
    if (choice.plan.thresholds.empty()) continue;
    const Plan other = evaluate(outcomes.subset(halves[1 - h]), choice.plan.thresholds);
    const double weight =
        static_cast<double>(halves[1 - h].size()) / static_cast<double>(keys.size());
    sum.accuracy += weight * other.accuracy;
    sum.cost += weight * other.cost;
    for (size_t t = 0; t < outcomes.tiers(); ++t) {
      sum.answered_by[t] += weight * other.answered_by[t];
    }
  }
  return sum;
}

}  // namespace

Result<void> parse_target(const std::string& text, CalibrateRequest& request) {
  const size_t split = text.find('=');
  if (split == std::string::npos) return bad_target(text);
  const std::string name = text.substr(0, split);
  std::string number = text.substr(split + 1);
  const bool percent = !number.empty() && number.back() == '%';
  if (percent) number.pop_back();
  double value = 0;
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size() || !(value > 0) ||
      !std::isfinite(value)) {
    return bad_target(text);
  }
  if (percent) value /= 100;
  if (name == "accuracy" && value <= 1) {
    request.target = {.kind = TargetKind::Accuracy, .value = value};
  } else if (name == "cost") {
    request.target = {.kind = TargetKind::Cost, .value = value};
    request.cost_is_share = percent;
  } else {
    return bad_target(text);
  }
  return {};
}

Result<CalibrateReport> calibrate(const CalibrateRequest& request) {
  auto data = load_dataset(request.files, {.read = request.read,
                                           .prompt_features = true,
                                           .margin_traces = request.early_abort.has_value()});
  if (!data) return data.error();
  if (data->tiers.size() < 2) {
    return Error{ErrorCode::InvalidArgument, "the records have one tier: there is nothing to route",
                 "", "give records with two tiers or more, cheapest first"};
  }
  for (const auto& [name, cost] : request.swap_cost) {
    if (data->find_tier(name) != nullptr && cost >= 0 && std::isfinite(cost)) continue;
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("`{}={}` names no tier or is negative", name, cost), "--swap-cost",
                 "tier=cost, the tier as in the records"};
  }
  const std::vector<size_t> rows = complete_rows(*data);
  CalibrateReport report;
  report.records = rows.size();
  report.confidence = request.bootstrap.confidence;
  if (rows.size() < 2) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("{} questions were answered by every tier", rows.size()), "",
                 "at least two are needed, and some hundred for figures worth having"};
  }
  if (rows.size() < data->rows()) {
    report.notes.push_back(fmt::format("{} of {} questions lack a tier and are left out",
                                       data->rows() - rows.size(), data->rows()));
  }
  if (request.signals.empty() && lend_prompt_features(*data)) {
    report.by_prompt = true;
    report.notes.push_back("the records hold no evidence about answers: P(right) is read off the "
                           "question alone, which no tier serves by");
  }
  CascadeOutcomes outcomes;
  for (const TierColumns& tier : data->tiers) {
    report.tiers.push_back(tier.name);
    const auto swap = request.swap_cost.find(tier.name);
    const double extra = swap == request.swap_cost.end() ? 0 : swap->second;
    outcomes.right.emplace_back();
    outcomes.cost.emplace_back();
    for (const size_t row : rows) {
      outcomes.right.back().push_back(tier.labels[row] == Label::Right ? 1 : 0);
      outcomes.cost.back().push_back(tier.costs[row] + extra);
    }
    if (report.tiers.size() == data->tiers.size()) break;
    auto fit = fit_tier(*data, tier, request, outcomes, rows);
    if (!fit) return fit.error();
    report.calibrators.push_back(std::move(*fit));
  }
  std::vector<uint64_t> keys;
  for (const size_t row : rows) keys.push_back(data->keys[row]);
  report.target = request.target;
  if (request.cost_is_share) {
    const auto& last = outcomes.cost.back();
    double mean = 0;
    for (const double cost : last) mean += cost / static_cast<double>(last.size());
    report.target.value *= mean;
  }
  report.choice = choose_plan(outcomes, keys, report.target);
  const std::vector<Plan> plans = efficient_plans(outcomes);
  if (report.choice.plan.thresholds.empty()) {  // too few records to test a risk
    report.choice.plan = evaluate(outcomes, plans.back().thresholds);
  }
  if (request.early_abort) fit_early_aborts(*data, rows, outcomes, request, report);
  report.intervals = bootstrap_plan(outcomes, report.choice.plan.thresholds, request.bootstrap);
  report.cross_checked = cross_check(outcomes, keys, report.target);
  constexpr size_t kCurvePoints = 21;
  for (size_t i = 0; i < std::min(kCurvePoints, plans.size()); ++i) {
    const bool few = plans.size() <= kCurvePoints;
    const size_t at = few ? i : i * (plans.size() - 1) / (kCurvePoints - 1);
    report.curve.push_back(evaluate(outcomes, plans[at].thresholds));
  }
  report.baselines = baselines(*data, rows, report.choice.plan.cost, request.bootstrap);
  note_dominated(report);
  return report;
}

}  // namespace tinyarms::calibration
