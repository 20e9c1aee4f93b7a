// The report of `tinyarms calibrate` as JSON and for people.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "calibration/calibrate_report.h"

namespace tinyarms::calibration {
namespace {

using Json = nlohmann::ordered_json;

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json pair(const std::optional<Interval>& interval) {
  return interval ? Json{interval->low, interval->high} : Json(nullptr);
}

const char* kind_name(TargetKind kind) {
  switch (kind) {
    case TargetKind::Accuracy: return "accuracy";
    case TargetKind::Cost: return "cost";
    case TargetKind::MaxRisk: return "max_risk";
  }
  return "";
}

// "never" has no number in JSON: null.
Json thresholds_json(const CalibrateReport& report, const Plan& plan) {
  Json thresholds = Json::object();
  for (size_t t = 0; t < plan.thresholds.size(); ++t) {
    const double value = plan.thresholds[t];
    thresholds[report.tiers[t]] = std::isfinite(value) ? Json(value) : Json(nullptr);
  }
  return thresholds;
}

Json plan_json(const CalibrateReport& report, const Plan& plan) {
  Json answered = Json::object();
  for (size_t t = 0; t < plan.answered_by.size(); ++t) {
    answered[report.tiers[t]] = plan.answered_by[t];
  }
  return {{"thresholds", thresholds_json(report, plan)},
          {"accuracy", plan.accuracy},
          {"cost", plan.cost},
          {"answered_by", answered}};
}

Json baseline_json(const Baseline& baseline) {
  Json json = {{"name", baseline.name}, {"accuracy", baseline.accuracy}, {"cost", baseline.cost}};
  if (!baseline.curve) return json;
  json["apgr"] = number(baseline.summary.apgr);
  json["cpt50"] = number(baseline.summary.cpt50);
  json["cpt80"] = number(baseline.summary.cpt80);
  json["apgr_interval"] = pair(baseline.intervals.apgr);
  return json;
}

Json outcome_json(const EarlyAbortOutcome& outcome) {
  return {{"answers", outcome.answers},
          {"watched", outcome.watched},
          {"stopped", outcome.stopped},
          {"lost", outcome.lost},
          {"lost_interval", {outcome.lost_share.low, outcome.lost_share.high}},
          {"tokens", outcome.tokens},
          {"tokens_saved", outcome.saved},
          {"saved_share_interval", pair(outcome.saved_share)},
          {"accuracy_before", outcome.accuracy_before},
          {"accuracy_after", outcome.accuracy_after},
          {"accuracy_change_interval", pair(outcome.accuracy_change)}};
}

Json early_aborts_json(const CalibrateReport& report) {
  Json list = Json::array();
  for (const TierEarlyAbort& one : report.early_aborts) {
    if (!one.choice.fit) {
      list.push_back({{"tier", one.tier}, {"fitted", false}, {"why_not", one.choice.why_not}});
      continue;
    }
    const EarlyAbortFit& fit = *one.choice.fit;
    Json held_out = outcome_json(one.held_out.outcome);
    held_out["folds"] = one.held_out.folds;
    held_out["folds_fitted"] = one.held_out.fitted;
    list.push_back({{"tier", one.tier},
                    {"fitted", true},
                    {"test", margin_test_name(fit.test)},
                    {"boundary", fit.test.boundary},
                    {"lost_max", fit.target.lost_max},
                    {"lost_bound", fit.bound},
                    {"fitted_to", outcome_json(one.outcome)},
                    {"held_out", held_out}});
  }
  return list;
}

std::string outcome_text(const EarlyAbortOutcome& outcome) {
  const auto interval = [](const std::optional<Interval>& range) {
    return range ? fmt::format("[{:+.4f}, {:+.4f}]", range->low, range->high) : std::string("[?]");
  };
  const double share = outcome.tokens > 0 ? static_cast<double>(outcome.saved) /
                                                static_cast<double>(outcome.tokens)
                                          : 0;
  return fmt::format("stops {} of {} drafts, {} of them right and kept [{:.4f}, {:.4f}]; {} of {} "
                     "tokens saved ({:.4f} {}); accuracy {:.4f} -> {:.4f}, change {}",
                     outcome.stopped, outcome.watched, outcome.lost, outcome.lost_share.low,
                     outcome.lost_share.high, outcome.saved, outcome.tokens, share,
                     interval(outcome.saved_share), outcome.accuracy_before, outcome.accuracy_after,
                     interval(outcome.accuracy_change));
}

std::string early_aborts_text(const CalibrateReport& report) {
  std::string text;
  for (const TierEarlyAbort& one : report.early_aborts) {
    if (!one.choice.fit) {
      text += fmt::format("early abort {}: not fitted: {}\n", one.tier, one.choice.why_not);
      continue;
    }
    const EarlyAbortFit& fit = *one.choice.fit;
    text += fmt::format("early abort {}: at {} ({}); {} (bound {:.4f})\n", one.tier,
                        margin_test_text(fit.test), margin_test_name(fit.test),
                        promise_text(fit.target), fit.bound);
    text += fmt::format("  on these records: {}\n", outcome_text(one.outcome));
    text += fmt::format("  held out ({} of {} folds had a test): {}\n", one.held_out.fitted,
                        one.held_out.folds, outcome_text(one.held_out.outcome));
  }
  return text;
}

}  // namespace

std::string calibrate_json(const CalibrateReport& report) {
  Json fits = Json::array();
  for (const CalibratorSetFit& fit : report.calibrators) {
    Json tried = Json::array();
    for (const FamilyScore& score : fit.tried) {
      tried.push_back({{"family", family_name(score.family)},
                       {"signals", score.signals},
                       {"nll", score.nll},
                       {"brier", score.brier}});
    }
    fits.push_back({{"tier", fit.set.tier},
                    {"chosen", family_name(fit.set.pooled.calibrator.family())},
                    {"groups", fit.set.groups.size()},
                    {"tried", tried}});
  }
  Json plan = plan_json(report, report.choice.plan);
  plan["accuracy_interval"] = pair(report.intervals.accuracy);
  plan["cost_interval"] = pair(report.intervals.cost);
  if (report.target.kind == TargetKind::MaxRisk) plan["risk_bound"] = report.choice.risk_bound;
  Json curve = Json::array();
  for (const Plan& point : report.curve) curve.push_back(plan_json(report, point));
  Json others = Json::array();
  for (const Baseline& baseline : report.baselines) others.push_back(baseline_json(baseline));
  const Json json = {
      {"records", report.records},
      {"tiers", report.tiers},
      {"target", {{"kind", kind_name(report.target.kind)}, {"value", report.target.value}}},
      {"feasible", report.choice.feasible},
      {"confidence_level", report.confidence},
      {"plan", plan},
      {"cross_checked",
       {{"accuracy", report.cross_checked.accuracy}, {"cost", report.cross_checked.cost}}},
      {"calibrators", fits},
      {"curve", curve},
      {"baselines", others},
      {"early_abort", early_aborts_json(report)},
      {"notes", report.notes}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string calibrate_text(const CalibrateReport& report) {
  std::string text = fmt::format("{} questions, tiers {}\n", report.records,
                                 fmt::join(report.tiers, " → "));
  for (const CalibratorSetFit& fit : report.calibrators) {
    text += fmt::format("  {}: {} over {}, held-out NLL {:.4f}, Brier {:.4f}, {} groups apart\n",
                        fit.set.tier, family_name(fit.set.pooled.calibrator.family()),
                        fmt::join(fit.set.pooled.calibrator.signals, ", "),
                        fit.set.pooled.held_out_nll, fit.set.pooled.held_out_brier,
                        fit.set.groups.size());
  }
  const Plan& plan = report.choice.plan;
  text += fmt::format("target {} = {:.6g}: {}\n", kind_name(report.target.kind),
                      report.target.value,
                      report.choice.feasible ? "reached" : "cannot be reached; the best there is:");
  for (size_t t = 0; t < plan.thresholds.size(); ++t) {
    text += std::isfinite(plan.thresholds[t])
                ? fmt::format("  {} keeps P(right) >= {:.4f}", report.tiers[t], plan.thresholds[t])
                : fmt::format("  {} keeps nothing", report.tiers[t]);
    text += fmt::format(" ({:.1f} % of the questions)\n", 100 * plan.answered_by[t]);
  }
  text += fmt::format("  accuracy {:.4f} [{:.4f}, {:.4f}], cost {:.4g} [{:.4g}, {:.4g}]\n",
                      plan.accuracy, report.intervals.accuracy.low, report.intervals.accuracy.high,
                      plan.cost, report.intervals.cost.low, report.intervals.cost.high);
  text += fmt::format("  on records not chosen by: accuracy {:.4f}, cost {:.4g}\n",
                      report.cross_checked.accuracy, report.cross_checked.cost);
  if (report.target.kind == TargetKind::MaxRisk) {
    text += fmt::format("  risk bound {:.4f}\n", report.choice.risk_bound);
  }
  text += "curve   cost       accuracy  answered by each tier\n";
  for (const Plan& point : report.curve) {
    text += fmt::format("        {:<9.4g}  {:.4f}   ", point.cost, point.accuracy);
    for (const double share : point.answered_by) text += fmt::format(" {:5.1f} %", 100 * share);
    text += '\n';
  }
  text += "baselines                accuracy  cost       APGR    CPT(50 %)  CPT(80 %)\n";
  for (const Baseline& baseline : report.baselines) {
    text += fmt::format("  {:22} {:.4f}    {:<9.4g}", baseline.name, baseline.accuracy,
                        baseline.cost);
    if (baseline.curve && baseline.summary.apgr) {
      text += fmt::format("  {:.4f}  {:.4f}     {:.4f}", *baseline.summary.apgr,
                          *baseline.summary.cpt50, *baseline.summary.cpt80);
    }
    text += '\n';
  }
  text += early_aborts_text(report);
  for (const std::string& note : report.notes) text += "note: " + note + "\n";
  return text;
}

}  // namespace tinyarms::calibration
