#include "cli/calibration_charts.h"

#include <algorithm>
#include <cmath>

#include "calibration/special_functions.h"

namespace tinyarms::cli {

plots::XyChart cost_quality_chart(const calibration::CalibrateReport& report) {
  plots::XyChart chart{.title = "Accuracy over cost",
                       .x = {.label = "mean cost of a question"},
                       .y = {.label = "accuracy"},
                       .series = {}};
  plots::Series& curve = chart.series.emplace_back();
  curve.name = "thresholds";
  for (const calibration::Plan& plan : report.curve) {
    plots::Point& point = curve.points.emplace_back();
    point.x = plan.cost;
    point.y = plan.accuracy;
  }
  plots::Series fixed;
  fixed.name = "the chosen plan, fixed choices, the oracle";
  fixed.line = false;
  for (const calibration::Baseline& baseline : report.baselines) {
    if (baseline.curve) {
      plots::Series& series = chart.series.emplace_back();
      series.name = baseline.name;
      for (const calibration::RoutingPoint& at : baseline.points) {
        plots::Point& point = series.points.emplace_back();
        point.x = at.cost;
        point.y = at.accuracy;
      }
    } else if (baseline.name != "best_fixed") {  // which is one of the others
      plots::Point& point = fixed.points.emplace_back();
      point.x = baseline.cost;
      point.y = baseline.accuracy;
      point.label = baseline.name;
    }
  }
  plots::Point& plan = fixed.points.emplace_back();
  plan.x = report.choice.plan.cost;
  plan.y = report.choice.plan.accuracy;
  plan.y_interval = plots::Range{report.intervals.accuracy.low, report.intervals.accuracy.high};
  plan.label = "chosen";
  chart.series.push_back(std::move(fixed));
  return chart;
}

plots::XyChart reliability_chart(const calibration::MetricsReport& report) {
  plots::XyChart chart{.title = "Reliability of " + report.score + " (" + report.tier + ")",
                       .x = {.label = "forecast", .range = plots::Range{0, 1}},
                       .y = {.label = "observed share right", .range = plots::Range{0, 1}},
                       .series = {},
                       .diagonal = true};
  plots::Series& series = chart.series.emplace_back();
  series.name = report.score;
  for (const calibration::ReliabilityBin& bin : report.reliability) {
    const auto right = static_cast<uint64_t>(
        std::lround(bin.observed * static_cast<double>(bin.count)));
    const auto interval = calibration::clopper_pearson({right, bin.count}, 0.95);
    plots::Point& point = series.points.emplace_back();
    point.x = bin.mean_forecast;
    point.y = bin.observed;
    point.y_interval = plots::Range{interval.low, interval.high};
  }
  return chart;
}

plots::XyChart risk_coverage_chart(const calibration::MetricsReport& report) {
  plots::XyChart chart{.title = "Risk over coverage by " + report.score + " (" + report.tier + ")",
                       .x = {.label = "share kept", .range = plots::Range{0, 1}},
                       .y = {.label = "share wrong among the kept", .range = plots::Range{0, 1}},
                       .series = {}};
  plots::Series& series = chart.series.emplace_back();
  series.name = report.score;
  double most = 0;
  for (const calibration::RiskCoveragePoint& at : report.risk_coverage) {
    most = std::max(most, at.risk);
    plots::Point& point = series.points.emplace_back();
    point.x = at.coverage;
    point.y = at.risk;
  }
  chart.y.range->high = most > 0 ? std::min(1.0, 1.05 * most) : 1;
  return chart;
}

}  // namespace tinyarms::cli
