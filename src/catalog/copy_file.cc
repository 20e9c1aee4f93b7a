#include "catalog/copy_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/descriptor.h"

namespace tinyarms::catalog {
namespace {

namespace fs = std::filesystem;

// Left free beside a copy: the sidecar, and what others write meanwhile.
constexpr uint64_t kSpaceMargin = 1 << 20;
// FICLONE of the kernel's linux/fs.h, whose macros do not mix with the C library's headers.
constexpr unsigned long kShareBlocks = _IOW(0x94, 9, int);
constexpr size_t kChunk = size_t{1} << 30;
constexpr size_t kBlock = size_t{1} << 20;

Error io_error(const fs::path& path, int error_number) {
  return Error{error_number == ENOENT ? ErrorCode::NotFound : ErrorCode::Io,
               std::strerror(error_number), path.string(),
               error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG
                   ? "free some disk space and try again"
                   : "check the path and its permissions"};
}

Result<void> check_space(const fs::path& folder, uint64_t bytes) {
  std::error_code problem;
  const fs::space_info space = fs::space(folder, problem);
  if (problem || space.available >= bytes + kSpaceMargin) return {};
  return Error{ErrorCode::Io,
               fmt::format("the disk is too full: {:.1f} MB are needed, {:.1f} MB are free",
                           static_cast<double>(bytes + kSpaceMargin) / 1e6,
                           static_cast<double>(space.available) / 1e6),
               folder.string(), "free some disk space and try again"};
}

Result<void> copy_bytes(int source, int destination, const CopyPaths& paths) {
  std::vector<char> block(kBlock);
  while (true) {
    const ssize_t got = ::read(source, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error(paths.source, errno);
    if (got == 0) return {};
    std::string_view rest(block.data(), static_cast<size_t>(got));
    while (!rest.empty()) {
      const ssize_t written = ::write(destination, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return io_error(paths.destination, errno);
      rest.remove_prefix(static_cast<size_t>(written));
    }
  }
}

}  // namespace

Result<void> copy_file(const CopyPaths& paths) {
  // Not blocking: at a pipe's path nobody may ever write.
  Descriptor source(::open(paths.source.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  if (source.get() < 0 || ::fstat(source.get(), &facts) != 0) {
    return io_error(paths.source, errno);
  }
  if (!S_ISREG(facts.st_mode)) {
    return Error{ErrorCode::Io, "is not a regular file", paths.source.string(), "name a file"};
  }
  Descriptor destination(
      ::open(paths.destination.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (destination.get() < 0) return io_error(paths.destination, errno);
  if (::ioctl(destination.get(), kShareBlocks, source.get()) == 0) return {};

  const auto bytes = static_cast<uint64_t>(facts.st_size);
  if (auto space = check_space(paths.destination.parent_path(), bytes); !space) return space;
  while (true) {
    const ssize_t copied =
        ::copy_file_range(source.get(), nullptr, destination.get(), nullptr, kChunk, 0);
    if (copied > 0 || (copied < 0 && errno == EINTR)) continue;
    // Also at its end: some file systems of old kernels copy nothing and call it done.
    if (copied == 0 || errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
        errno == EOPNOTSUPP) {
      return copy_bytes(source.get(), destination.get(), paths);
    }
    return io_error(paths.destination, errno);
  }
}

void sweep_unfinished(const fs::path& folder) {
  constexpr std::string_view kMark = ".partial-";
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(folder, problem)) {
    const std::string name = entry.path().filename().string();
    const size_t mark = name.rfind(kMark);
    if (mark == std::string::npos) continue;
    pid_t writer = 0;
    const char* digits = name.data() + mark + kMark.size();
    const auto parsed = std::from_chars(digits, name.data() + name.size(), writer);
    const bool gone = parsed.ec == std::errc() && writer > 0 && ::kill(writer, 0) != 0 &&
                      errno == ESRCH;
    // Its age as well: on a shared disk the writer may live on another machine.
    std::error_code ignored;
    const auto age = fs::file_time_type::clock::now() - fs::last_write_time(entry.path(), ignored);
    if (gone && !ignored && age > std::chrono::minutes(10)) fs::remove(entry.path(), ignored);
  }
}

}  // namespace tinyarms::catalog
