// From records to calibrators, thresholds and what they are worth: what `tinyarms calibrate` does.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "calibration/baselines.h"
#include "calibration/calibrator_file.h"
#include "calibration/early_abort.h"
#include "calibration/threshold_plan.h"

namespace tinyarms::calibration {

struct CalibrateRequest {
  std::vector<std::string> files{};
  std::vector<std::string> signals{};  // none: all that the records have
  PlanTarget target{};
  bool cost_is_share = false;  // a cost target is a share of always-large's
  std::map<std::string, double, std::less<>> swap_cost{};  // tier → added when it is asked
  std::string engine{};   // identity of what served the records
  std::string sampler{};  //
  std::optional<double> early_abort{};  // the largest share of stopped drafts that may be lost
  ReadOptions read{};
  GroupFitOptions fit{};
  BootstrapOptions bootstrap{};
};

struct TierEarlyAbort {
  std::string tier{};
  EarlyAbortChoice choice{};
  EarlyAbortOutcome outcome{};      // of the test chosen, on the records it was fitted to
  HeldOutEarlyAbort held_out{};
  std::optional<EarlyAbortFile> file{};  // where there is a test
};

struct CalibrateReport {
  std::vector<std::string> tiers{};
  size_t records = 0;  // with an outcome of every tier
  std::vector<CalibratorSetFit> calibrators{};  // of every tier but the last
  std::vector<TierEarlyAbort> early_aborts{};   // the same tiers, where asked for
  PlanTarget target{};
  PlanChoice choice{};
  PlanIntervals intervals{};
  // Thresholds chosen on one half and counted on the other, both ways: without the optimism of
  // choosing and counting on the same records.
  Plan cross_checked{};
  std::vector<Plan> curve{};  // efficient plans, thinned
  std::vector<Baseline> baselines{};
  double confidence = 0.95;
  bool by_prompt = false;  // a tier had no evidence: its P(right) comes of the question alone
  std::vector<std::string> notes{};
};

// "accuracy=0.85", "cost=0.4" (in the records' unit) or "cost=40%" (of always-large).
// Errors: InvalidArgument.
Result<void> parse_target(const std::string& text, CalibrateRequest& request);

// Errors: those of load_dataset, training_set and cross_fit; InvalidArgument with one tier only.
Result<CalibrateReport> calibrate(const CalibrateRequest& request);

std::string calibrate_json(const CalibrateReport& report);
std::string calibrate_text(const CalibrateReport& report);

}  // namespace tinyarms::calibration
