#include "eval/machine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "engine/engine_info.h"

namespace tinyarms::eval {

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) != 0 || colon == std::string::npos) continue;
    return line.substr(colon + 2);
  }
  return "unknown processor";
}

std::string describe_machine() {
  const std::string processor = processor_name();
  std::string kernel;
  std::ifstream("/proc/sys/kernel/osrelease") >> kernel;
  const double bytes = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                       static_cast<double>(::sysconf(_SC_PAGE_SIZE));
  return fmt::format("{}, {} cores, {:.0f} GB{}", processor, ::sysconf(_SC_NPROCESSORS_ONLN),
                     bytes / 1e9,
                     kernel.empty() ? "" : ", Linux " + kernel);
}

std::string describe_engine() {
  const engine::EngineInfo info = engine::engine_info();
  return fmt::format("ggml {} ({}), {}", info.ggml_version, info.ggml_commit, info.features);
}

}  // namespace tinyarms::eval
