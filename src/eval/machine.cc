#include "eval/machine.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

#include "engine/engine_info.h"

namespace tinyarms::eval {

std::string describe_machine() {
  std::string processor = "unknown processor";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) != 0 || colon == std::string::npos) continue;
    processor = line.substr(colon + 2);
    break;
  }
  struct utsname system {};
  const bool named = ::uname(&system) == 0;
  const double bytes = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                       static_cast<double>(::sysconf(_SC_PAGE_SIZE));
  return fmt::format("{}, {} cores, {:.0f} GB{}", processor, ::sysconf(_SC_NPROCESSORS_ONLN),
                     bytes / 1e9,
                     named ? fmt::format(", {} {}", system.sysname, system.release) : "");
}

std::string describe_engine() {
  const engine::EngineInfo info = engine::engine_info();
  return fmt::format("ggml {} ({}), {}", info.ggml_version, info.ggml_commit, info.features);
}

}  // namespace tinyarms::eval
