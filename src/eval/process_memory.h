// This process's largest resident set, which Linux lets a process begin afresh.
#pragma once

#include <cstdint>

namespace tinyarms::eval {

// Since the process began or reset_peak_memory() was last called. 0 where the system does not say.
uint64_t peak_memory_bytes();

// Without effect where the system does not offer it: the peak is the whole process's then.
void reset_peak_memory();

}  // namespace tinyarms::eval
