// Usage, advice, outcomes and decisions as text and as JSON: the form of `tinyarms stats --json`
// and of the page's routes (docs/page.md). Fields are only ever added.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "telemetry/advice.h"
#include "telemetry/outcomes.h"
#include "telemetry/usage.h"

namespace tinyarms::telemetry {

nlohmann::ordered_json usage_json(const Usage& usage, const std::vector<Advice>& advice);
nlohmann::ordered_json outcomes_json(const std::vector<TierOutcomes>& outcomes);
nlohmann::ordered_json timeline_json(const std::vector<Moment>& moments);
nlohmann::ordered_json decision_json(const Counted& decision);

std::string usage_text(const Usage& usage, const std::vector<Advice>& advice);

}  // namespace tinyarms::telemetry
