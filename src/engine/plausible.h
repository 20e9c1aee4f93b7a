// The last check before libllama sees a file: what it asserts, divides by or allocates before it
// looks, and no real model has.
#pragma once

#include "base/result.h"
#include "engine/model_facts.h"

namespace tinyarms::engine {

// Reads the header of `facts.path` once more. Errors: Corrupt.
Result<void> check_plausible(const ModelFacts& facts);

}  // namespace tinyarms::engine
