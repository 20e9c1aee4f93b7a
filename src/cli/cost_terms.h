// What questions are reckoned at: the settings, the figures of `models measure`, the catalogue's
// prices.
#pragma once

#include <string>

#include "cli/context.h"
#include "telemetry/query_cost.h"

namespace tinyarms::cli {

// `api`: a remote model of the catalogue to compare with; empty: the cheapest that has a price.
// Errors: NotFound, InvalidArgument (it has no price).
Result<telemetry::CostTerms> cost_terms(const service::Settings& settings, const std::string& api,
                                        const Context& context);

}  // namespace tinyarms::cli
