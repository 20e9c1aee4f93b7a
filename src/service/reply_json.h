// A reply, a plan or an error as JSON: the stable form of `--json` (docs/json.md), version 1.
// Fields are only ever added.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "cascade/cascade.h"

namespace tinyarms::service {

// {"answer", "tier", "confidence", "calibrated", "sure", "interrupted", "source", "notice",
//  "finish", "certified", "id", "trace": […], "usage": {…}}; answer, tier and confidence are null
// without an answer. The trace is most of it, and of the work: leave it out where nobody reads it.
nlohmann::ordered_json reply_json(const cascade::Reply& reply, bool with_trace = true);

// One entry of its "trace".
nlohmann::ordered_json step_json(const cascade::Step& step);

// {"plan": [{"tier", "would_run", "source", "reason"}]}
nlohmann::ordered_json plan_json(const cascade::Trace& plan);

// {"error": {"code", "message", "what", "where", "hint"}}
nlohmann::ordered_json error_json(const Error& error);

// Readable text that ends with a newline. Bytes that are not UTF-8 (a file's name, what a model
// file says of itself) become U+FFFD: JSON has no other way to carry them.
std::string json_text(const nlohmann::ordered_json& json);

}  // namespace tinyarms::service
