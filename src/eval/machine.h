// The machine that figures were measured on, in one line.
#pragma once

#include <string>

namespace tinyarms::eval {

std::string processor_name();  // "AMD EPYC …", or "unknown processor"

// "AMD EPYC …, 2 cores, 23 GB, Linux 6.1"; what the system does not tell is left out.
std::string describe_machine();

// "ggml 0.25.3 (commit), AVX2 = 1 | …".
std::string describe_engine();

}  // namespace tinyarms::eval
