// Where this user's own additions to L1 are kept.
#pragma once

#include <filesystem>

#include "base/paths.h"

namespace tinyarms::service {

std::filesystem::path intent_head_path(const Paths& paths);  // of `tinyarms intent train`

}  // namespace tinyarms::service
