// What each signal is worth, alone and together with others: how well it tells right answers from
// wrong ones (AUROC), and what it adds to a base signal that is there anyway, with the intervals of
// one paired bootstrap, so that two rows can be compared.
//
// A signal alone is ranked by its raw value; the rows without it are left out. A combination is the
// held-out probability of a cross-fitted model (cross_fit.h) over all rows, missing values
// included. `within` counts only pairs of one group: it is not raised by telling hard groups from
// easy ones.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "calibration/metrics.h"
#include "calibration/record_reader.h"

namespace tinyarms::calibration {

struct Combination {
  std::string name{};
  std::vector<std::string> signals{};  // those that the records lack are passed over
};

struct WorthRequest {
  std::vector<std::string> files{};
  std::string tier{};                // "": the first
  std::string base = "margin_mean";  // what gains are measured against
  std::vector<Combination> combinations{};
  ReadOptions read{};
  BootstrapOptions bootstrap{};
};

struct Estimate {
  double value = 0;  // NaN where it is not defined
  std::optional<Interval> interval{};
};

struct SignalWorth {
  std::string name{};
  std::vector<std::string> signals{};  // of a combination: those that were there
  size_t records = 0;                  // with a value
  bool turned = false;                 // low values speak for a right answer: ranked from below
  Estimate auroc{};
  Estimate within{};         // over pairs of one group; NaN with one group only
  Estimate gain{};           // AUROC over the base's on the same rows
  Estimate gain_within{};
};

struct WorthReport {
  std::string tier{};
  std::string base{};
  size_t records = 0;
  size_t right = 0;
  size_t groups = 0;
  double confidence = 0.95;
  std::vector<SignalWorth> signals{};       // best first
  std::vector<SignalWorth> combinations{};  // in the order asked for
  std::vector<std::string> notes{};
};

// Errors: those of load_dataset; InvalidArgument for an unknown tier, a base that the records lack,
// or answers of one class only.
Result<WorthReport> measure_worth(const WorthRequest& request);

std::string worth_json(const WorthReport& report);
std::string worth_text(const WorthReport& report);

}  // namespace tinyarms::calibration
