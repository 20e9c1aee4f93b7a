// Calibrators on disk: JSON for people and programs, versioned, bound to what served the answers
// it was fitted to. Whoever serves anything else is refused, unless they ask for it: a probability
// of another model, quantisation, engine or sampler is a number without meaning.
//
// A file is hostile until checked: its size, the counts in it, every number (finite, in range,
// knots in order) and unknown families are refused with their place in the file.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "calibration/calibrator.h"
#include "calibration/cross_fit.h"

namespace tinyarms::calibration {

// Empty fields were not recorded; they match only empty ones.
struct ServingIdentity {
  std::string model_sha{};
  std::string quantization{};
  std::string engine{};   // build of the engine
  std::string sampler{};  // the sampling options, in a fixed order
  friend bool operator==(const ServingIdentity&, const ServingIdentity&) = default;
};

// Errors: Unsupported, naming each field that differs.
Result<void> check_identity(const ServingIdentity& fitted, const ServingIdentity& serving);

struct GroupCalibrator {
  Calibrator calibrator{};
  double held_out_nll = 0;
  double held_out_brier = 0;
};

// One tier's calibrators: the pooled one, and those of groups with enough records of their own.
struct CalibratorSet {
  std::string tier{};
  ServingIdentity identity{};
  GroupCalibrator pooled{};
  std::map<std::string, GroupCalibrator, std::less<>> groups{};

  // The group's own calibrator, else the pooled one.
  const Calibrator& for_group(std::string_view group) const;
};

struct GroupFitOptions {
  CrossFitOptions cross{};
  size_t group_records_min = 200;  // below: pooled
};

struct CalibratorSetFit {
  CalibratorSet set{};
  std::vector<double> held_out{};    // of each row, by the calibrator that would serve it
  std::vector<FamilyScore> tried{};  // of the pooled fit, best first
};

// A group gets its own calibrator where it has enough records and that calibrator's held-out
// log-likelihood beats the pooled one's on the group. Errors: those of cross_fit.
Result<CalibratorSetFit> fit_calibrator_set(const TrainingSet& set, const GroupFitOptions& options);

std::string calibrators_json(const CalibratorSet& set);

// `where` names the text in errors. Errors: Corrupt, Unsupported (a later version).
Result<CalibratorSet> parse_calibrators(std::string_view text, const std::string& where);

// Errors: NotFound, Io, OverBudget (> 4 MiB), and those of parse_calibrators.
Result<CalibratorSet> load_calibrators(const std::filesystem::path& file);

}  // namespace tinyarms::calibration
