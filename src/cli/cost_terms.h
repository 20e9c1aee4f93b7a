// What questions are reckoned at: the settings, the figures of `models measure`, the catalogue's
// prices.
#pragma once

#include <string>

#include "cli/context.h"
#include "service/remote_pool.h"
#include "telemetry/query_cost.h"

namespace tinyarms::cli {

// What the catalogue says that a remote model costs. `context` outlives it.
service::PriceList price_list(const Context& context);

// Today's, where l4.budget_per_day is set; nothing where it is not. Errors: those of the file.
Result<std::optional<storage::DaySpending>> spending_today(const service::Settings& settings,
                                                           const Context& context);
// "0.1234 of 1.0000 US dollars spent on 2026-11-29 (UTC), by 7 questions"
std::string spending_text(const storage::DaySpending& day, double limit);

// `api`: a remote model of the catalogue to compare with; empty: the cheapest that has a price.
// Errors: NotFound, InvalidArgument (it has no price).
Result<telemetry::CostTerms> cost_terms(const service::Settings& settings, const std::string& api,
                                        const Context& context);

}  // namespace tinyarms::cli
