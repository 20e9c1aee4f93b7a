// Decisions for the tests of this room, as the log would give them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "telemetry/counted.h"

namespace tinyarms::telemetry {

inline storage::LoggedStep sample_step(std::string level, std::string verdict, double seconds,
                                       double confidence = -1) {
  storage::LoggedStep step{.level = std::move(level), .verdict = std::move(verdict)};
  step.answered = step.verdict == "accept" || step.verdict == "escalate";
  step.source = step.level == "l1" ? "exact cache" : step.level + "-source";
  if (confidence >= 0) step.confidence = confidence;
  step.threshold = 0.6;
  step.seconds = seconds;
  step.tokens = step.level >= "l2" ? 10 : 0;
  step.evidence = "{}";
  return step;
}

// The reply is the last step that was kept, else the last that answered.
inline Counted sample(std::string group, std::vector<storage::LoggedStep> steps, double at = 100,
                      std::string question = "q") {
  storage::LoggedDecision decision{.id = "aaaa", .at = at, .question_sha = std::move(question),
                                   .group = std::move(group), .steps = std::move(steps)};
  for (size_t i = 0; i < decision.steps.size(); ++i) {
    if (decision.steps[i].answered) decision.winner = static_cast<int>(i);
    if (decision.steps[i].verdict == "accept") decision.sure = true;
  }
  return counted(decision);
}

}  // namespace tinyarms::telemetry
