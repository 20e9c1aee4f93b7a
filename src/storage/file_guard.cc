#include "storage/file_guard.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <system_error>
#include <utility>

#include "base/file_lock.h"

namespace tinyarms::storage {
namespace {

namespace fs = std::filesystem;

constexpr int kNamesMax = 1000;

Error io_error(const fs::path& path, int error_number) {
  const char* hint = error_number == ENOSPC || error_number == EDQUOT
                         ? "free some disk space, or name another cache folder"
                         : "make the folder writable, or name another cache folder";
  return Error{ErrorCode::Io, std::strerror(error_number), path.string(), hint};
}

std::string utc_stamp(double wall_seconds) {
  const auto seconds = static_cast<std::time_t>(wall_seconds);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return "unknown-time";
  return fmt::format("{:%Y%m%dT%H%M%SZ}", parts);
}

fs::path with_suffix(fs::path path, std::string_view suffix) {
  path += suffix;
  return path;
}

}  // namespace

std::optional<FileIdentity> identify(const fs::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  return FileIdentity{facts.st_dev, facts.st_ino};
}

Result<OpeningLock> OpeningLock::take(const fs::path& path, std::chrono::milliseconds patience) {
  const fs::path lock_path = with_suffix(path, ".lock");
  const int descriptor =
      ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (descriptor < 0) return io_error(lock_path, errno);
  OpeningLock lock(descriptor);
  if (lock_file(descriptor, patience)) return lock;
  if (errno != EWOULDBLOCK) return io_error(lock_path, errno);
  return Error{ErrorCode::Unavailable, "another process keeps the cache database locked",
               path.string(), "wait for it to end"};
}

OpeningLock::OpeningLock(OpeningLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

OpeningLock::~OpeningLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> provide_file(const fs::path& path) {
  std::error_code problem;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), problem);
  if (problem) return io_error(path.parent_path(), problem.value());
  const int descriptor =
      ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor >= 0) {
    ::close(descriptor);
    return {};
  }
  if (errno != EEXIST) return io_error(path, errno);
  const fs::file_type type = fs::status(path, problem).type();
  if (type == fs::file_type::regular) return {};
  return Error{ErrorCode::Io,
               type == fs::file_type::directory ? "is a folder where the cache database should be"
                                                : "is not a regular file",
               path.string(), "move it away, or name another cache folder"};
}

Result<fs::path> set_aside(const fs::path& path, std::string_view kind, double wall_seconds) {
  const fs::path wanted = with_suffix(path, fmt::format(".{}-{}", kind, utc_stamp(wall_seconds)));
  std::error_code problem;
  fs::path target = wanted;
  for (int number = 2; fs::exists(fs::symlink_status(target, problem)); ++number) {
    if (number > kNamesMax) return io_error(wanted, EEXIST);
    target = with_suffix(wanted, fmt::format("-{}", number));
  }
  // The database goes first: SQLite discards a -wal that it finds beside no database.
  fs::rename(path, target, problem);
  if (problem) return io_error(path, problem.value());
  for (const char* companion : {"-wal", "-shm"}) {
    std::error_code absent;
    fs::rename(with_suffix(path, companion), with_suffix(target, companion), absent);
  }
  return target;
}

}  // namespace tinyarms::storage
