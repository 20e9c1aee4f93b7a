// Runs the product as a user does and says how long it took and how much memory it held.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tinyarms::bench {

struct ProcessUse {
  double seconds = 0;
  uint64_t bytes_peak = 0;  // resident, files mapped included; 0 unless `watch_memory`
};

// `environment` replaces the process's own. `watch_memory` looks a thousand times a second, which
// blurs the time: what wait4 tells of the peak counts the parent's memory too. Output is thrown
// away. Errors: NotFound (no program), Internal (an exit status above `status_max`).
Result<ProcessUse> run_process(const std::filesystem::path& program,
                               const std::vector<std::string>& arguments,
                               const std::vector<std::pair<std::string, std::string>>& environment,
                               bool watch_memory = false, int status_max = 0);

}  // namespace tinyarms::bench
