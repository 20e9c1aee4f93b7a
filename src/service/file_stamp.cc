#include "service/file_stamp.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace tinyarms::service {

std::string file_stamp(const std::filesystem::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return "none";
  return fmt::format("{} {}.{} {}", facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec,
                     facts.st_ino);
}

}  // namespace tinyarms::service
