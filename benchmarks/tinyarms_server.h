// `tinyarms serve` with folders of its own, no models, and a local engine as its L4.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "local_server.h"

namespace tinyarms::bench {

// Everything it reads and writes lies in `folder`. Errors: as LocalServer::start; Io.
Result<std::unique_ptr<LocalServer>> start_tinyarms(const std::filesystem::path& program,
                                                    int engine_port,
                                                    const std::filesystem::path& folder,
                                                    const std::vector<std::string>& flags);

}  // namespace tinyarms::bench
