// Whether two answers' functions do the same with arguments made up for them: for questions that
// show no examples of their own.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "sandbox/judge.h"

namespace tinyarms::signals {

// Of the made-up calls that at least one of both had a value for, the share with the same end:
// equal by repr, or the same exception. Nothing where both define no Python function of one name,
// or no call had a value. Errors: the judge's.
Result<std::optional<double>> agreement_on_probes(std::string_view question,
                                                  std::string_view first, std::string_view second,
                                                  sandbox::Judge& judge);

}  // namespace tinyarms::signals
