// Whether answers can be kept to a JSON schema: the question that a server asks before it takes a
// request on, without a model.
#pragma once

#include <string_view>

#include "base/result.h"

namespace tinyarms::engine {

// Errors: InvalidArgument, saying what of it cannot be turned into rules.
Result<void> check_schema_rules(std::string_view json_schema);

}  // namespace tinyarms::engine
