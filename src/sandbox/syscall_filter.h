// System-call filters as programs for the kernel (seccomp, by libseccomp). Both are lists of what
// is allowed; everything else answers ENOSYS, and another architecture's calls kill the process.
#pragma once

#include "base/result.h"

namespace tinyarms::sandbox {

enum class FilterKind {
  Python,      // threads, no processes: no fork, no exec, no signal to anybody
  Toolchains,  // processes and signals among themselves, as compilers and virtual machines need
};

// Writes the compiled filter to an open file. Errors: Unsupported, Io.
Result<void> write_filter(FilterKind kind, int descriptor);

}  // namespace tinyarms::sandbox
