// The decision "good enough, stop here".
#pragma once

#include <map>
#include <optional>
#include <string>

#include "cascade/attempt.h"
#include "cascade/request.h"

namespace tinyarms::cascade {

struct Confidence {
  double value = 0;         // P(correct) in [0, 1]
  bool calibrated = false;  // fitted to outcomes, or only a formula
  std::string formula;      // how it came about, for people
};

// Evidence about an answer → one number. The door through which calibration comes in.
class Estimator {
 public:
  virtual ~Estimator() = default;
  virtual Confidence estimate(Level, const Attempt&) const = 0;
};

struct Verdict {
  bool accept = false;
  Confidence confidence;
  double threshold = 0;
  std::string reason;  // one sentence with the numbers in it
};

class Policy {
 public:
  virtual ~Policy() = default;
  virtual Verdict judge(const Request&, Level, const Attempt&) const = 0;
};

// Accepts where the estimated confidence reaches the threshold in force: the request's for that
// level, else the request's global one, else `defaults`, else 0.5.
class ThresholdPolicy final : public Policy {
 public:
  ThresholdPolicy(const Estimator& estimator, std::map<Level, double> defaults);
  Verdict judge(const Request&, Level, const Attempt&) const override;

 private:
  double threshold_for(const Request&, Level) const;

  const Estimator& estimator_;
  std::map<Level, double> defaults_;
};

}  // namespace tinyarms::cascade
