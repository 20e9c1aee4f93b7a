// The SQLite that is linked in, for `version` and `doctor`.
#pragma once

#include <string>

namespace tinyarms::storage {

std::string sqlite_version();  // "3.53.4"

}  // namespace tinyarms::storage
