// What a client wants an answer made of → the order that tiers understand. Schemas are looked at
// here, so that a wrong one is the client's error, by the name of its field, before any model is
// asked.
#pragma once

#include <optional>

#include "cascade/request.h"
#include "openai/api_error.h"
#include "openai/chat.h"

namespace tinyarms::door {

// Fills messages, order, bare texts and sampling. Errors as the client expects them.
std::optional<openai::ApiError> to_order(const openai::ChatRequest& request,
                                         cascade::Request& climb);

}  // namespace tinyarms::door
