#include "calibration/metrics_report.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/nearest.h"

namespace tinyarms::calibration {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kPromptLength = "prompt_length";

Error unknown(const char* kind, const std::string& name, const std::vector<std::string>& known) {
  const auto close = nearest(name, known);
  const std::string listed = fmt::format("known: {}", fmt::join(known, ", "));
  return Error{ErrorCode::InvalidArgument, fmt::format("no {} `{}` in the records", kind, name), "",
               close ? fmt::format("did you mean `{}`? {}", *close, listed) : listed};
}

Result<const TierColumns*> choose_tier(const Dataset& data, const std::string& name) {
  if (name.empty()) return &data.tiers.front();
  if (const TierColumns* tier = data.find_tier(name)) return tier;
  std::vector<std::string> known;
  for (const TierColumns& tier : data.tiers) known.push_back(tier.name);
  return unknown("tier", name, known);
}

Result<std::string> choose_score(const TierColumns& tier, const std::string& name) {
  std::vector<std::string> known;
  for (const SignalColumn& signal : tier.signals) known.push_back(signal.name);
  if (name.empty() && tier.find("confidence") != nullptr) return std::string("confidence");
  if (name.empty() && known.size() == 1) return known[0];
  known.emplace_back(kPromptLength);
  if (name.empty()) {
    return Error{ErrorCode::InvalidArgument, "which score is meant is not clear", "",
                 fmt::format("name one of: {}", fmt::join(known, ", "))};
  }
  if (name == kPromptLength || tier.find(name) != nullptr) return name;
  return unknown("score", name, known);
}

// The score of each row, higher for "rather right"; NaN where it was not measured.
std::vector<double> score_column(const Dataset& data, const TierColumns& tier,
                                 const std::string& score, bool lower_is_better) {
  std::vector<double> values;
  if (score == kPromptLength && tier.find(score) == nullptr) {
    // Longer questions are harder: the direction of the literature's baseline.
    for (const PromptFeatures& prompt : data.prompts) values.push_back(-prompt[0]);
  } else {
    values = tier.find(score)->values;
  }
  if (lower_is_better) {
    for (double& value : values) value = -value;
  }
  return values;
}

RoutingReport routing_report(const Dataset& data, const TierColumns& small,
                             const std::vector<double>& scores, const MetricsRequest& request,
                             CostModel model) {
  const TierColumns& large = data.tiers.back();
  std::vector<RoutedItem> items;
  for (size_t row = 0; row < data.rows(); ++row) {
    const bool both = small.labels[row] != Label::Absent && large.labels[row] != Label::Absent;
    if (!both || std::isnan(scores[row])) continue;
    items.push_back({scores[row], small.labels[row] == Label::Right ? 1.0 : 0.0,
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
  DatasetOptions options{.read = request.read, .only_signal = std::nullopt};
  if (!request.score.empty()) options.only_signal = request.score;
  options.prompt_features = request.score.empty() || request.score == kPromptLength;
  auto data = load_dataset(request.files, options);
  if (!data) return data.error();
  auto tier = choose_tier(*data, request.tier);
  if (!tier) return tier.error();
  auto score = choose_score(**tier, request.score);
  if (!score && !request.score.empty()) {
    // Read once more with all signals, to be able to name them.
    options.only_signal = std::nullopt;
    auto all = load_dataset(request.files, options);
    if (!all) return all.error();
    auto again = choose_tier(*all, request.tier);
    if (!again) return again.error();
    return choose_score(**again, request.score).error();
  }
  if (!score) return score.error();

  MetricsReport report;
  report.score = *score;
  report.tier = (*tier)->name;
  report.confidence = request.bootstrap.confidence;
  const auto scores = score_column(*data, **tier, *score, request.lower_is_better);
  std::vector<Scored> items;
  for (size_t row = 0; row < data->rows(); ++row) {
    if ((*tier)->labels[row] == Label::Absent) continue;
    ++report.records;
    if (std::isnan(scores[row])) continue;
    items.push_back({scores[row], (*tier)->labels[row] == Label::Right ? 1.0 : 0.0});
  }
  report.scored = items.size();
  if (items.empty()) {
    return Error{ErrorCode::InvalidArgument, fmt::format("no record has the score `{}`", *score),
                 report.tier, "choose another score or tier"};
  }
  sort_by_score(items);
  report.values = measure(items, request.bins);
  report.intervals = bootstrap(items, request.bins, request.bootstrap);
  if (!std::isnan(report.values[Metric::Brier])) {
    report.reliability = reliability_of_sorted(items, request.bins, Binning::EqualWidth);
  }
  report.risk_coverage = risk_coverage(items, request.curve_points);
  if (*tier != &data->tiers.back()) {
    const auto model = *score == kPromptLength ? CostModel::Router : CostModel::Cascade;
    report.routing = routing_report(*data, **tier, scores, request, model);
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
