// Watching a draft while it is written, and giving it up for the tier above where a running test
// fitted to records (calibration/early_abort.h) says that it would end wrong.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "calibration/running_margin.h"
#include "cascade/attempt.h"
#include "cascade/level.h"

namespace tinyarms::tiers {

struct EarlyAbort {
  std::optional<calibration::MarginTest> test = {};
  // With a test what it promises; without one why what was fitted does not apply, or nothing where
  // nothing was.
  std::string explanation = {};
};

// What watches a draft of that level and origin, whose answer is kept from `threshold` on.
using EarlyAborts =
    std::function<EarlyAbort(cascade::Level, const cascade::Origin&, double threshold)>;

}  // namespace tinyarms::tiers
