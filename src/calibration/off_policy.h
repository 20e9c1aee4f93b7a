// What another policy would have been worth, from decisions in which chance had a say: those that
// agree with the other policy stand for the ones that do not, each weighted by one over the chance
// it had (Horvitz & Thompson 1952; self-normalised: Swaminathan & Joachims 2015). Where the other
// policy wants what the log never tried, no weighting can tell, and this says so.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibration/metrics.h"
#include "calibration/special_functions.h"

namespace tinyarms::calibration {

struct WeighedDecision {
  // Π of 1/propensity over the decision's choices where the other policy makes all of them;
  // 0 where it makes one differently.
  double weight = 1;
  // Whether the first differing choice had a chance in the log; true where none differs.
  bool supported = true;
  std::optional<double> right{};  // 1, 0, or not known
  double cost = 0;
};

struct OffPolicyEstimate {
  std::optional<double> accuracy{};  // nothing: cannot say
  std::optional<double> cost{};
  Interval accuracy_interval{};
  double effective = 0;          // (Σw)² / Σw² of the decisions with known outcome
  double unsupported_share = 0;  // of all decisions
  std::string why_not{};         // where there is no accuracy
};

struct OffPolicyLimits {
  double unsupported_max = 0.02;
  double effective_min = 20;
};

OffPolicyEstimate estimate_off_policy(std::span<const WeighedDecision> decisions,
                                      const OffPolicyLimits& limits,
                                      const BootstrapOptions& bootstrap);

// RESCUE: wrong before, right with the other policy. LOSS: right before, wrong then. SAFE: right
// both times. HARD: wrong both times.
struct Fates {
  size_t rescue = 0;
  size_t loss = 0;
  size_t safe = 0;
  size_t hard = 0;
  size_t unknown = 0;  // an outcome is not known
  size_t known() const { return rescue + loss + safe + hard; }
  void count(std::optional<bool> before, std::optional<bool> after);
};

}  // namespace tinyarms::calibration
