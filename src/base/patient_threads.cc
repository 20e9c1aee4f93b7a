#include "base/patient_threads.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace tinyarms {
namespace {

constexpr const char* kSpins = "GOMP_SPINCOUNT";
// Some tens of microseconds: of the order of what waking a thread takes.
constexpr const char* kSpinsOfOurs = "5000";

}  // namespace

void wait_patiently(char** argv) {
  if (::getenv(kSpins) != nullptr || ::getenv("OMP_WAIT_POLICY") != nullptr) return;
  // By its own path: by /proc/self/exe the process would be called "exe".
  std::error_code problem;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", problem);
  if (problem || ::setenv(kSpins, kSpinsOfOurs, 0) != 0) return;
  ::execv(self.c_str(), argv);
}

}  // namespace tinyarms
