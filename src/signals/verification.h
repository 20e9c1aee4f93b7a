// "Is this answer correct?" put to a model, read off as the probability of Yes against No
// (Kadavath et al. 2022, P(True)).
#pragma once

#include "signals/signal.h"

namespace tinyarms::signals {

// Nothing where `ask` is empty.
Result<std::optional<double>> probability_of_yes(const Occasion& occasion, const AskOptions& ask);

}  // namespace tinyarms::signals
