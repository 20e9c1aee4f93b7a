// One score of one tier out of record files, by the names a user gives.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "calibration/dataset.h"
#include "calibration/scored.h"

namespace tinyarms::calibration {

struct ScoreRequest {
  std::vector<std::string> files{};
  std::string score{};  // a signal, or "prompt_length"; "": `confidence`, or the only signal
  std::string tier{};   // "": the first
  bool lower_is_better = false;
  ReadOptions read{};
};

struct SelectedScores {
  Dataset data{};
  size_t tier = 0;  // index into data.tiers
  std::string score{};
  bool of_prompt = false;        // known before any tier answers
  std::vector<double> values{};  // a row; higher is better; NaN: not measured
  size_t records = 0;            // rows with an answer of the tier
  std::vector<size_t> rows{};    // of these, the rows with a score; never empty

  const TierColumns& tier_columns() const { return data.tiers[tier]; }
  Scored item(size_t row) const;
};

// Errors: those of load_dataset; InvalidArgument for an unknown tier or score, with the nearest
// known name, and where no record has the score.
Result<SelectedScores> load_scores(const ScoreRequest& request);

}  // namespace tinyarms::calibration
