// What one run may take. CPU time decides before wall time does, so that a verdict does not depend
// on how busy the machine is.
#pragma once

#include <cstdint>

namespace tinyarms::sandbox {

struct Limits {
  int cpu_seconds = 10;
  double wall_seconds = 30;
  int64_t memory_bytes = int64_t{1} << 30;  // of one Python process; of all processes together else
  int64_t output_bytes = int64_t{1} << 20;  // of each of standard output and standard error
  int64_t file_bytes = int64_t{16} << 20;   // the largest file
  int64_t scratch_bytes = int64_t{64} << 20;  // all files in /tmp
  int scratch_files = 4096;
  int processes = 64;  // and threads
  int compile_seconds = 60;

  // What compilers and virtual machines need.
  static Limits for_toolchains() {
    Limits limits;
    limits.memory_bytes = int64_t{2} << 30;
    limits.scratch_bytes = int64_t{512} << 20;
    limits.scratch_files = 1 << 16;
    limits.processes = 256;
    return limits;
  }
};

}  // namespace tinyarms::sandbox
