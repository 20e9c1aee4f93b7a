// Reads one tests/cases/*.case; the format is described in tests/cases/README.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cascade/attempt.h"
#include "cascade/declared_policy.h"
#include "cascade/ensemble.h"
#include "cascade/level.h"
#include "cascade/request.h"

namespace tinyarms::cascade {

struct CaseEnsemble {
  EnsembleRule rule = EnsembleRule::Confidence;
  Likeness likeness;
};

struct CaseTier {
  Level level = Level::L0;
  std::string act;   // "answer", "abstain", "fail", "skip"
  std::string text;  // the answer, or the reason
  double seconds = 0;
  bool stop = false;  // the user stops while it works
  Finish finish = Finish::Stop;
  std::string gives_up;          // for a tier above, where one would be asked: why
  std::optional<double> bar;     // the threshold that it must have been told
  ErrorCode error = ErrorCode::Internal;
  Evidence evidence;
  std::vector<std::pair<std::string, std::string>> sees;
  std::string route;   // the specialist that answers
  std::string source;  // who says it is
  std::optional<CaseEnsemble> pair;  // this tier and the next are asked together
};

struct CaseStep {
  Level level = Level::L0;
  std::string decision;
  std::string reason;  // a part of it
  std::vector<std::pair<std::string, double>> numbers;  // confidence, threshold, seconds
  Evidence evidence;
};

struct CaseFile {
  Request request;
  PolicyTerms terms;  // beside the default thresholds
  bool stopped = false;
  std::vector<CaseTier> tiers;
  std::vector<CaseStep> steps;
  std::optional<std::string> reply;  // nothing: no winner
  bool sure = false;
  bool interrupted = false;
};

// Errors: InvalidArgument, `where` is name:line.
Result<CaseFile> parse_case(const std::string& name, std::string_view text);

}  // namespace tinyarms::cascade
