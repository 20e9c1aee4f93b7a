// What a question costs, as text and as JSON: the field `cost` of `tinyarms stats --json`. Fields
// are only ever added.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "telemetry/query_cost.h"

namespace tinyarms::telemetry {

// Empty where nothing was asked.
std::string cost_text(const QueryCosts& costs, const CostTerms& terms);
nlohmann::ordered_json cost_json(const QueryCosts& costs, const CostTerms& terms);

}  // namespace tinyarms::telemetry
