// A trace for people: who was asked, what was decided, why, and what it cost.
#pragma once

#include <string>

#include "cascade/cascade.h"
#include "cli/terminal.h"

namespace tinyarms::cli {

// One block a step, evidence included.
std::string explain(const cascade::Trace& trace, const Terminal& terminal);

// One line under every answer: "— l2 smollm2… · confidence 0.71, uncalibrated · 85 tokens · 1.3 s";
// `by_server`: a running server gave it.
std::string footer(const cascade::Reply& reply, bool by_server = false);

// --dry-run: one line a tier.
std::string explain_plan(const cascade::Trace& plan, const Terminal& terminal);

}  // namespace tinyarms::cli
