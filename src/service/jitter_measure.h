// Measures the jitter of an installed model over the bundled questions (calibration/jitter.h).
#pragma once

#include <functional>

#include "base/result.h"
#include "base/stop_flag.h"
#include "calibration/jitter.h"
#include "catalog/model_store.h"

namespace tinyarms::service {

struct JitterOptions {
  size_t prompts = 40;
  int tokens_max = 64;
  int threads = 0;
  std::function<void(size_t done, size_t total)> progress;
};

// Errors: those of loading the model, and of engine/jitter.h.
Result<calibration::JitterFile> measure_jitter(const catalog::ModelStore& store,
                                               const catalog::InstalledModel& model,
                                               const JitterOptions& options, const StopFlag& stop);

std::string jitter_text(const std::string& model, const calibration::JitterFile& jitter);

}  // namespace tinyarms::service
