// A climb of the cascade as the decision log keeps it, and back again.
#pragma once

#include <string>

#include "cascade/cascade.h"
#include "service/calibrated_estimator.h"
#include "storage/decision_log.h"

namespace tinyarms::service {

struct RecordContext {
  std::string id;
  double at = 0;           // seconds since 1970 UTC
  std::string policy;      // hash of the terms in force
  bool keep_prompt = false;
};

// Of the evidence, numbers, flags and a few names are kept; texts that could hold the question are
// not, unless the question itself is.
storage::LoggedDecision decision_record(const cascade::Request&, const cascade::Reply&,
                                        const CalibratedEstimator&, const RecordContext&);

// What a tier did, as far as the log tells; the answer's text is not kept.
cascade::Attempt attempt_of(const storage::LoggedStep& step);

// Twelve hexadecimal digits, from the system's own source of chance.
std::string new_decision_id();

}  // namespace tinyarms::service
