// Which sources this binary was built from; the definitions are generated at every build.
#pragma once

#include <string_view>

namespace tinyarms::cli {

extern const std::string_view kVersion;   // "0.1.0"
extern const std::string_view kCommit;    // git's, "-dirty" where files were changed; or "unknown"
extern const std::string_view kCompiler;  // "GNU 12.2.0"

}  // namespace tinyarms::cli
