// Choosing a calibrator honestly: every family is fitted on all folds but one and judged on that
// one; the least mean negative log-likelihood over the held-out folds wins (a strictly proper
// score: Gneiting & Raftery 2007). The held-out predictions are handed on, so that thresholds and
// certificates never see a probability that was fitted to its own label.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "calibration/calibrator.h"

namespace tinyarms::calibration {

struct CrossFitOptions {
  size_t folds = 5;  // ≥ 2
  uint64_t seed = 1;
  std::vector<Family> families{kFamilies.begin(), kFamilies.end()};
};

struct FamilyScore {
  Family family = Family::Platt;
  std::vector<std::string> signals{};
  double nll = 0;  // held out
  double brier = 0;
};

struct CrossFit {
  Calibrator calibrator{};              // the chosen family, fitted to all rows
  std::vector<double> held_out{};       // its prediction of each row of the set, by the other folds
  std::vector<FamilyScore> tried{};     // best first
};

// One-signal families read the signal that alone ranks best (AUROC, either direction).
// Errors: InvalidArgument where one class is missing or there are fewer than 2 of one, or where no
// family fits.
Result<CrossFit> cross_fit(const TrainingSet& set, const CrossFitOptions& options);

// The column that ranks best; columns without any value never win over others.
size_t best_column(const TrainingSet& set);

}  // namespace tinyarms::calibration
