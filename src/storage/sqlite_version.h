// Which SQLite this binary carries: "3.53.4". Versions before 3.51.3 can corrupt a WAL database
// (docs/decisions/0025-sqlite.md); a test holds the binary to that.
#pragma once

#include <string_view>

namespace tinyarms::storage {

std::string_view sqlite_version();

}  // namespace tinyarms::storage
