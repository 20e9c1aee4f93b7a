// How far each signal of one set-up moves when nothing but the manner of computing changes (cold,
// with a reused prefix, in a batch), as a file, and the guard band that follows: an answer whose
// confidence reaches a threshold only by luck of the batch shape does not reach it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "calibration/calibrator_file.h"

namespace tinyarms::calibration {

struct SignalJitter {
  double mean = 0;  // of |value − reference|
  double q95 = 0;
  double most = 0;
};

struct JitterFile {
  ServingIdentity identity{};
  size_t prompts = 0;
  size_t comparisons = 0;     // prompts times manners of computing
  size_t tokens = 0;          // followed, in all manners together
  size_t other_choices = 0;   // of these, where another token would have been chosen
  std::map<std::string, SignalJitter, std::less<>> signals{};
};

// How far P(right) can move: the largest change when all signals move by their jitter together, up
// or down, and when each moves alone. `estimate` gives P(right) for evidence looked up by name.
using EvidenceLookup = std::function<std::optional<double>(std::string_view signal)>;
double guard_band(const JitterFile& jitter, const EvidenceLookup& evidence,
                  const std::function<double(const EvidenceLookup&)>& estimate);

std::string jitter_json(const JitterFile& jitter);
// Hostile until checked. Errors: Corrupt, Unsupported (a later version).
Result<JitterFile> parse_jitter(std::string_view text, const std::string& where);

}  // namespace tinyarms::calibration
