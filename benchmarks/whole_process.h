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
  uint64_t bytes_peak = 0;  // resident, files mapped included
};

// `environment` replaces the process's own. Output is thrown away. Errors: NotFound (no program),
// Internal (the exit status was not 0).
Result<ProcessUse> run_process(const std::filesystem::path& program,
                               const std::vector<std::string>& arguments,
                               const std::vector<std::pair<std::string, std::string>>& environment);

}  // namespace tinyarms::bench
