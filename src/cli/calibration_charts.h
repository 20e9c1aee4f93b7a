// Pictures of what calibration found, for a terminal (`--plot`) and as files (`--svg`).
#pragma once

#include "calibration/calibrate_report.h"
#include "calibration/metrics_report.h"
#include "plots/chart.h"

namespace tinyarms::cli {

// Accuracy over cost: the efficient plans as a line, the chosen one and each baseline as dots.
plots::XyChart cost_quality_chart(const calibration::CalibrateReport& report);

// Observed frequency over forecast probability, with exact 95 % intervals; empty where the score is
// no probability.
plots::XyChart reliability_chart(const calibration::MetricsReport& report);

// Share of wrong answers among the kept, over the share kept.
plots::XyChart risk_coverage_chart(const calibration::MetricsReport& report);

}  // namespace tinyarms::cli
