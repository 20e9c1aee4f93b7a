// libllama's two doors, models and contexts, with its two ways of refusing (an exception, a null
// pointer and a line in the log) as one typed error.
#pragma once

#include <llama-cpp.h>

#include <filesystem>

#include "base/result.h"
#include "base/stop_flag.h"

namespace tinyarms::engine {

// On the CPU, whatever `parameters` says of layers elsewhere. Errors: Unsupported (an architecture
// that libllama does not know); Corrupt (it refused the file, in its own words); Interrupted,
// between two tensors, where `stop` (may be null) is raised meanwhile.
Result<llama_model_ptr> load_llama_model(
    const std::filesystem::path& path,
    llama_model_params parameters = llama_model_default_params(), const StopFlag* stop = nullptr);

// A context over `model`, which libllama wants mutable and does not change; `place` names it in
// errors: OverBudget (no memory was to be had); Internal.
Result<llama_context_ptr> open_llama_context(const llama_model* model,
                                             const llama_context_params& parameters,
                                             const std::filesystem::path& place);

}  // namespace tinyarms::engine
