// A calibrator for the model on trial, fitted to the answers that it wrote there: what
// `tinyarms calibrate` fits for a tier, of one model alone.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "calibration/calibrator_file.h"
#include "eval/trial.h"

namespace tinyarms::eval {

// Below these no calibrator is fitted: a share is then all that the answers can tell.
inline constexpr uint64_t kCalibratorAnswersMin = 100;
inline constexpr uint64_t kCalibratorClassMin = 20;  // right ones, and wrong ones

struct TrialCalibratorRequest {
  std::filesystem::path records;  // of the model on trial
  std::string subject;            // its name in them
  std::string level;              // "l2": whose answers it is to judge
  std::string engine;             // with the next: what serves, as the records do not say
  std::string sampler;
};

struct TrialCalibrator {
  TrialCalibration account;
  std::optional<calibration::CalibratorSet> set;  // nothing where account.problem says why
};

// Answers chosen among options are left out, as a tier is asked to write; so are the user's own
// failures, which say nothing of how often an answer is right. Never fails; what is missing
// is told in the account.
TrialCalibrator fit_trial_calibrator(const TrialCalibratorRequest& request);

}  // namespace tinyarms::eval
