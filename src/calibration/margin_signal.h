// How unsure a generation was: 1 − the mean margin between the two most probable tokens, in [0, 1].
#pragma once

#include <span>

#include "base/result.h"

namespace tinyarms::calibration {

struct TopTwo {
  double first = 0;   // probabilities, in either order
  double second = 0;  //
};

// Probabilities up to 1 + 1e-9 count as 1. Errors: InvalidArgument where there is no token, or a
// probability is outside [0, 1] or NaN.
Result<double> margin_uncertainty(std::span<const TopTwo> tokens);

}  // namespace tinyarms::calibration
