// All metrics of one score of one tier over record files, with intervals: what `tinyarms metrics`
// prints. With two tiers or more also the routing figures from the measured tier to the last one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "calibration/metrics.h"
#include "calibration/reliability.h"
#include "calibration/routing_curve.h"
#include "calibration/score_selection.h"

namespace tinyarms::calibration {

struct MetricsRequest {
  ScoreRequest scores{};
  size_t bins = 15;
  size_t curve_points = 21;
  BootstrapOptions bootstrap{};
};

struct RoutingReport {
  std::string small{};
  std::string large{};
  size_t records = 0;  // with an outcome of both
  RoutingSummary summary{};
  RoutingIntervals intervals{};
  std::vector<RoutingPoint> curve{};
};

struct MetricsReport {
  std::string score{};
  std::string tier{};
  size_t records = 0;  // with an outcome of the tier
  size_t scored = 0;   // of these, with the score; only they are measured
  MetricValues values{};
  std::array<std::optional<Interval>, kMetrics.size()> intervals{};
  double confidence = 0.95;
  std::vector<ReliabilityBin> reliability{};  // equal width; empty: the score is no probability
  std::vector<RiskCoveragePoint> risk_coverage{};
  std::optional<RoutingReport> routing{};
  std::vector<std::string> notes{};
};

// Errors: those of load_scores.
Result<MetricsReport> report_metrics(const MetricsRequest& request);

// {"score", "tier", "records", "scored", "confidence_level", "metrics": {name: number|null},
//  "intervals": {name: [low, high]|null}, "reliability", "risk_coverage", "routing", "notes"}
std::string metrics_json(const MetricsReport& report);

// The same for people, several lines.
std::string metrics_text(const MetricsReport& report);

}  // namespace tinyarms::calibration
