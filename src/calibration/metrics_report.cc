#include "calibration/metrics_report.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace tinyarms::calibration {
namespace {

using Json = nlohmann::ordered_json;

RoutingReport routing_report(const SelectedScores& scores, const MetricsRequest& request) {
  const TierColumns& small = scores.tier_columns();
  const TierColumns& large = scores.data.tiers.back();
  const CostModel model = scores.of_prompt ? CostModel::Router : CostModel::Cascade;
  std::vector<RoutedItem> items;
  for (const size_t row : scores.rows) {
    if (large.labels[row] == Label::Absent) continue;
    items.push_back({scores.values[row], small.labels[row] == Label::Right ? 1.0 : 0.0,
                     large.labels[row] == Label::Right ? 1.0 : 0.0, small.costs[row],
                     large.costs[row]});
  }
  RoutingReport report{.small = small.name,
                       .large = large.name,
                       .records = items.size(),
                       .summary = {},
                       .intervals = {},
                       .curve = {}};
  if (items.empty()) return report;
  sort_by_score(items);
  const auto curve = routing_curve(items, model);
  report.summary = summarise(curve);
  report.intervals = bootstrap_routing(items, request.bootstrap);
  report.curve = thinned(curve, request.curve_points);
  return report;
}

void add_notes(MetricsReport& report) {
  const auto note = [&](std::string text) { report.notes.push_back(std::move(text)); };
  if (report.scored < report.records) {
    note(fmt::format("{} of {} records lack the score and are left out",
                     report.records - report.scored, report.records));
  }
  if (std::isnan(report.values[Metric::Auroc])) {
    note("all answers are of one class (all right or all wrong): AUROC is not defined");
  }
  if (std::isnan(report.values[Metric::Brier])) {
    note("the score leaves [0, 1]: Brier, NLL and ECE are not defined until it is calibrated");
  }
  if (report.scored < 2) note("one record: there are no intervals");
  if (report.routing && !report.routing->summary.apgr) {
    note(fmt::format("tier {} is not better than {}: APGR and CPT are not defined",
                     report.routing->large, report.routing->small));
  }
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }
Json pair(const std::optional<Interval>& interval) {
  return interval ? Json{interval->low, interval->high} : Json(nullptr);
}

Json routing_json(const RoutingReport& routing) {
  Json curve = Json::array();
  for (const RoutingPoint& point : routing.curve) {
    curve.push_back({{"threshold", number(point.threshold)},
                     {"escalated", point.escalated},
                     {"accuracy", point.accuracy},
                     {"cost", point.cost}});
  }
  return {{"small", routing.small},
          {"large", routing.large},
          {"records", routing.records},
          {"small_accuracy", routing.summary.small_accuracy},
          {"large_accuracy", routing.summary.large_accuracy},
          {"curve", curve}};
}

}  // namespace

Result<MetricsReport> report_metrics(const MetricsRequest& request) {
  auto scores = load_scores(request.scores);
  if (!scores) return scores.error();
  MetricsReport report;
  report.score = scores->score;
  report.tier = scores->tier_columns().name;
  report.confidence = request.bootstrap.confidence;
  report.records = scores->records;
  report.scored = scores->rows.size();
  std::vector<Scored> items;
  items.reserve(scores->rows.size());
  for (const size_t row : scores->rows) items.push_back(scores->item(row));
  sort_by_score(items);
  report.values = measure(items, request.bins);
  report.intervals = bootstrap(items, report.values, request.bins, request.bootstrap);
  if (!std::isnan(report.values[Metric::Brier])) {
    report.reliability = reliability_of_sorted(items, request.bins, Binning::EqualWidth);
  }
  report.risk_coverage = risk_coverage(items, request.curve_points);
  if (scores->tier + 1 < scores->data.tiers.size()) {
    report.routing = routing_report(*scores, request);
    if (report.routing->records == 0) report.routing.reset();
  }
  add_notes(report);
  return report;
}

std::string metrics_json(const MetricsReport& report) {
  Json metrics = Json::object();
  Json intervals = Json::object();
  for (size_t m = 0; m < kMetrics.size(); ++m) {
    const std::string name(metric_name(kMetrics[m]));
    metrics[name] = number(report.values.values[m]);
    intervals[name] = pair(report.intervals[m]);
  }
  if (report.routing) {
    metrics["apgr"] = number(report.routing->summary.apgr);
    metrics["cpt50"] = number(report.routing->summary.cpt50);
    metrics["cpt80"] = number(report.routing->summary.cpt80);
    intervals["apgr"] = pair(report.routing->intervals.apgr);
    intervals["cpt50"] = pair(report.routing->intervals.cpt50);
    intervals["cpt80"] = pair(report.routing->intervals.cpt80);
  }
  Json bins = Json::array();
  for (const ReliabilityBin& bin : report.reliability) {
    bins.push_back({{"low", bin.low},
                    {"high", bin.high},
                    {"count", bin.count},
                    {"mean_forecast", bin.mean_forecast},
                    {"observed", bin.observed}});
  }
  Json curve = Json::array();
  for (const RiskCoveragePoint& point : report.risk_coverage) {
    curve.push_back(
        {{"threshold", point.threshold}, {"coverage", point.coverage}, {"risk", point.risk}});
  }
  const Json json = {{"score", report.score},
                     {"tier", report.tier},
                     {"records", report.records},
                     {"scored", report.scored},
                     {"confidence_level", report.confidence},
                     {"metrics", metrics},
                     {"intervals", intervals},
                     {"reliability", bins},
                     {"risk_coverage", curve},
                     {"routing", report.routing ? routing_json(*report.routing) : Json(nullptr)},
                     {"notes", report.notes}};
  return json.dump(2) + "\n";
}

std::string metrics_text(const MetricsReport& report) {
  std::string text = fmt::format("{} of tier {}: {} records\n", report.score, report.tier,
                                 report.scored);
  const auto line = [&](std::string_view name, const std::optional<double>& value,
                        const std::optional<Interval>& interval) {
    text += value && std::isfinite(*value) ? fmt::format("  {:16} {:.4f}", name, *value)
                                           : fmt::format("  {:16} not defined", name);
    if (interval) text += fmt::format("  [{:.4f}, {:.4f}]", interval->low, interval->high);
    text += '\n';
  };
  for (size_t m = 0; m < kMetrics.size(); ++m) {
    line(metric_name(kMetrics[m]), report.values.values[m], report.intervals[m]);
  }
  if (report.routing) {
    const RoutingReport& routing = *report.routing;
    text += fmt::format("routing from {} ({:.4f} right) to {} ({:.4f} right)\n", routing.small,
                        routing.summary.small_accuracy, routing.large,
                        routing.summary.large_accuracy);
    line("apgr", routing.summary.apgr, routing.intervals.apgr);
    line("cpt50", routing.summary.cpt50, routing.intervals.cpt50);
    line("cpt80", routing.summary.cpt80, routing.intervals.cpt80);
  }
  for (const std::string& note : report.notes) text += "note: " + note + "\n";
  return text;
}

}  // namespace tinyarms::calibration
