// The decision "good enough, stop here": the doors through which numbers (Estimator) and rules
// (Policy) come into the cascade.
#pragma once

#include <optional>
#include <string>

#include "cascade/attempt.h"
#include "cascade/request.h"
#include "cascade/trace.h"

namespace tinyarms::cascade {

struct Confidence {
  double value = 0;         // P(correct) in [0, 1]
  bool calibrated = false;  // fitted to outcomes, or only a formula
  std::string formula = {};  // how it came about, for people
  // How far the value may move with the manner of computing alone: a threshold counts as reached
  // where value − band reaches it.
  double band = 0;
  // A promise about all answers kept as this one would be, e.g. "wrong at most 10 % …", where
  // one holds here and now; else why none does, where one was expected.
  bool certified = false;
  std::string certificate = {};
};

// Evidence about an answer → one number. The door through which calibration comes in.
class Estimator {
 public:
  virtual ~Estimator() = default;
  virtual Confidence estimate(Level, const Attempt&) const = 0;
};

enum class Action {
  Keep,
  Climb,
  Withhold,  // worth less than no answer: it is not the reply even where nobody knows better
};

struct Verdict {
  Action action = Action::Climb;
  Confidence confidence;
  double threshold = 0;
  double propensity = 1;  // chance of this action; below 1 only where chance had a say
  std::string reason;     // one sentence with the numbers in it
};

// Where a climb stands when the policy is asked.
struct Situation {
  const Request& request;
  Level level;
  const Trace& so_far;             // steps of the tiers below
  double seconds_spent = 0;        // since the climb began
  bool may_climb = true;           // whether a tier above would be asked
  std::string route = {};          // the specialist of that level that answers; empty: none
};

class Policy {
 public:
  virtual ~Policy() = default;
  // Why the tier of that level should not be asked at all, or nothing.
  virtual std::optional<std::string> skip_reason(const Situation&) const { return std::nullopt; }
  // What the tier's answer will have to reach, as far as that is known before it is given.
  virtual double threshold(const Situation&) const { return 0; }
  virtual Verdict judge(const Situation&, const Attempt&) const = 0;
};

}  // namespace tinyarms::cascade
