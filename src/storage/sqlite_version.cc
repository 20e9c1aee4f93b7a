#include "storage/sqlite_version.h"

#include <sqlite3.h>

namespace tinyarms::storage {

std::string_view sqlite_version() { return sqlite3_libversion(); }

}  // namespace tinyarms::storage
