// The record of one climb: a step a tier, in order, with what was decided and why.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cascade/attempt.h"
#include "cascade/headstart.h"
#include "cascade/level.h"

namespace tinyarms::cascade {

enum class Decision {
  Accept,     // this answer is the reply
  Escalate,   // answered, but not surely enough: the next tier is asked
  Abstain,    // the tier had nothing to say, or nothing worth saying
  Fail,       // an expected error; the cascade went on
  Skip,       // not asked: not configured, overridden, over budget, offline
  Interrupt,  // stopped by the user while this tier worked
};

std::string_view decision_name(Decision decision);  // "accept", "escalate", …

struct Step {
  Level level = Level::L0;
  Decision decision = Decision::Skip;
  std::string reason;  // one sentence
  std::optional<ErrorCode> error;    // where the tier failed
  Attempt attempt;     // empty where the tier was skipped or failed
  std::optional<double> confidence;  // P(correct) by the policy, where the tier answered
  bool calibrated = false;           // whether that number was fitted to outcomes
  bool certified = false;            // whether a promise about kept answers covers this one
  std::string certificate;           // which one, where it does
  std::optional<double> threshold;   // what it was held against
  double propensity = 1;             // chance that this decision had; below 1 where chance decided
  double started = 0;                // seconds after the climb began
  double seconds = 0;
  std::optional<SpentHeadstart> headstart = {};  // this tier's, or one that ended with this step
};

using Trace = std::vector<Step>;

// The kind of question: the one given, else the intent that an earlier tier left, else "".
std::string group_of(const std::string& given, const Trace& so_far);

// The newest piece of evidence of that name that an earlier tier left (the intent, say).
std::optional<std::string> find_text(const Trace& trace, std::string_view signal_name);

// The passages that an earlier tier found; empty where none did.
std::vector<ContextPassage> find_passages(const Trace& trace);

}  // namespace tinyarms::cascade
