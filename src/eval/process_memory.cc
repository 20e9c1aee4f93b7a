#include "eval/process_memory.h"

#include <fstream>
#include <string>

namespace tinyarms::eval {

uint64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");  // proc(5): VmHWM, in kB
  std::string word;
  while (status >> word) {
    uint64_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

void reset_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";  // proc(5): resets VmHWM
}

}  // namespace tinyarms::eval
