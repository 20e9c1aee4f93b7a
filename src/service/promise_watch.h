// Holds every certificate against what became of the answers kept under it (calibration/
// drift_guard.h). Outcomes come through one door, the decision log: feedback, tests, shadow checks.
#pragma once

#include <string>
#include <vector>

#include "calibration/drift_guard.h"
#include "service/calibrated_estimator.h"
#include "storage/decision_log.h"

namespace tinyarms::service {

struct Watched {
  std::string tier;
  std::string certificate;  // hash
  calibration::DriftGuard guard;

  // For people: "l2: 3 of 41 kept answers were wrong, promised at most 10 %: no alarm (e = 0.4)".
  std::string text() const;
};

// One for each certificate, in their order. The guard's δ is the certificate's own.
Result<std::vector<Watched>> watch_promises(CalibratedEstimator& estimator,
                                            storage::DecisionLog& log);

// Revokes the certificates whose guard raised an alarm. Gives what the user must be told; empty
// where no promise was broken. Thresholds must rise to the safe setting then.
std::vector<std::string> revoke_broken(CalibratedEstimator& estimator,
                                       const std::vector<Watched>& watched);

}  // namespace tinyarms::service
