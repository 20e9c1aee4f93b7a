#include "index/scan.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace tinyarms::index {

const ScanKernel& scan_kernel() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    return kVnniScan;
  }
  if (__builtin_cpu_supports("avx2")) return kAvx2Scan;
#elif defined(__aarch64__)
  if ((::getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0) return kNeonScan;
#endif
  return kGenericScan;
}

}  // namespace tinyarms::index
