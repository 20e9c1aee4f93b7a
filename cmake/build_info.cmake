# Run at every build: writes OUTPUT where the commit has changed, so that `version` never lies and
# nothing is compiled again for nothing.
execute_process(COMMAND git -C "${SOURCE}" describe --always --dirty --abbrev=12 --exclude "*"
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit "unknown")
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT [=[
#include "cli/build_info.h"

namespace tinyarms::cli {

const std::string_view kVersion = "@VERSION@";
const std::string_view kCommit = "@commit@";
const std::string_view kCompiler = "@COMPILER@";

}  // namespace tinyarms::cli
]=] @ONLY)
