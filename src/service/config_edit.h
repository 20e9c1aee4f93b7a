// Writes one flag into the user's configuration file and leaves everything else in it as it is,
// comments too.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"

namespace tinyarms::service {

// `group`.`name` = `value`, in a file that may not exist yet. Errors: those of read_config_file but
// NotFound; Config (written in a way that this cannot change; the file is untouched); Io.
Result<void> set_flag(const std::filesystem::path& file, std::string_view group,
                      std::string_view name, bool value);

}  // namespace tinyarms::service
