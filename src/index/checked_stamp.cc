#include "index/checked_stamp.h"

#include <fmt/format.h>

#include <ctime>
#include <string>

#include "base/file.h"

namespace tinyarms::index {
namespace {

constexpr size_t kNoteBytesMax = 256;
constexpr int64_t kSettledSeconds = 2;  // whole seconds are compared: at least one has passed

std::filesystem::path note_of(std::filesystem::path file) { return file += ".checked"; }

std::string state_of(const struct stat& status) {
  return fmt::format("1 {} {} {} {}.{:09} {}.{:09}\n", status.st_dev, status.st_ino,
                     status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                     status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

}  // namespace

bool was_checked(const std::filesystem::path& file, const struct stat& status) {
  auto note = read_file(note_of(file), kNoteBytesMax);
  return note && *note == state_of(status);
}

void note_checked(const std::filesystem::path& file, const struct stat& status) {
  struct timespec now {};
  if (::clock_gettime(CLOCK_REALTIME, &now) != 0 ||
      now.tv_sec - status.st_ctim.tv_sec < kSettledSeconds) {
    return;
  }
  static_cast<void>(write_file_atomically(note_of(file), state_of(status)).has_value());
}

}  // namespace tinyarms::index
