// Writes settings into the user's configuration file and leaves everything else in it as it is,
// comments too.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "service/settings_value.h"

namespace tinyarms::service {

struct ConfigEdit {
  std::string key;  // "l2.model": a group and a name
  RawValue value;   // true or false, a text, or a list of texts
};

// All of them by one rename, in a file that may not exist yet: whoever reads it finds none of them
// or all. Errors: those of read_config_file but NotFound; Config (written in a way that this cannot
// change, such as a list with comments in it; the file is untouched); Io.
Result<void> edit_config(const std::filesystem::path& file, const std::vector<ConfigEdit>& edits);

// `group`.`name` = `value`, likewise.
Result<void> set_flag(const std::filesystem::path& file, std::string_view group,
                      std::string_view name, bool value);

}  // namespace tinyarms::service
