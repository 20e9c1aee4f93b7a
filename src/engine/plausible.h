// The last check before libllama sees a file: what it asserts, divides by, reads past or allocates
// before it looks, and no real model has.
#pragma once

#include "base/result.h"
#include "engine/file_fault.h"
#include "engine/gguf_header.h"
#include "engine/model_facts.h"

namespace tinyarms::engine {

// Reads the header of `facts.path` once more. Errors: Corrupt; Unsupported (one part of several).
Result<void> check_plausible(const ModelFacts& facts);

// The same of a header that was read already; `fault`, where it is wanted, gets kind and name.
Result<void> check_plausible(const ModelFacts& facts, const GgufHeader& header, FileFault* fault);

}  // namespace tinyarms::engine
