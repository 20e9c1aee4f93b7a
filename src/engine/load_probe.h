// Loading a model in a child process first: libllama aborts on some of what no check foresaw, and
// then only the child is gone.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "base/stop_flag.h"

namespace tinyarms::engine {

struct ProbeLimits {
  double seconds = 120;
};

// For a process that has no other threads at the time: it forks. The weights are mapped, not read.
// Errors: those of inspect_model and check_plausible; Corrupt (the engine died of it, did not come
// to an end, or refused it; `what` says which), Unsupported (an architecture that the engine does
// not know), Interrupted, Io (no process could be started).
Result<void> probe_loading(const std::filesystem::path& path, const StopFlag& stop,
                           const ProbeLimits& limits = {});

}  // namespace tinyarms::engine
