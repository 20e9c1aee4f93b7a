#include "base/file_stamp.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace tinyarms {

std::string file_stamp(const std::filesystem::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return std::string(kStampOfNoFile);
  return fmt::format("{} {}.{} {} {}", facts.st_size, facts.st_mtim.tv_sec,
                     facts.st_mtim.tv_nsec, facts.st_ino, facts.st_dev);
}

}  // namespace tinyarms
