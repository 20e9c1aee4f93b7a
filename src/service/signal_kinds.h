// All evidence by kind: what `tinyarms signals list` shows and which combinations are compared by
// `signals worth`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "calibration/signal_worth.h"

namespace tinyarms::service {

struct SignalFacts {
  std::string_view name;
  std::string_view meaning;
  std::string_view cost;  // "none" for what the generation pass gives
  double low = 0;
  double high = 1;
  bool always = false;  // measured with every answer
};

// Those of the generation pass and of the answer's text first, then the optional ones.
std::vector<SignalFacts> signal_facts();

// The margin alone, all token statistics, the deterministic evidence, and what each costlier kind
// adds to them.
std::vector<calibration::Combination> signal_combinations();

}  // namespace tinyarms::service
