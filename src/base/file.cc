#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "base/descriptor.h"

namespace tinyarms {
namespace {

namespace fs = std::filesystem;

Error io_error(const fs::path& path, int error_number) {
  const auto code = error_number == ENOENT ? ErrorCode::NotFound : ErrorCode::Io;
  const char* hint = error_number == ENOSPC ? "free some disk space and try again"
                     : error_number == ENOENT ? "check the path"
                                              : "check its permissions and the disk";
  return Error{code, std::strerror(error_number), path.string(), hint};
}

Result<void> write_all(const fs::path& path, std::span<const std::string_view> pieces) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return io_error(path, errno);
  for (std::string_view bytes : pieces) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return io_error(path, errno);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }
  return {};
}

}  // namespace

Result<std::string> read_file(const fs::path& path, size_t bytes_max) {
  std::error_code problem;
  if (fs::is_directory(path, problem)) {
    return Error{ErrorCode::Io, "is a folder, a file is needed", path.string(), "name a file"};
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return io_error(path, errno != 0 ? errno : EIO);
  // Read one byte more than allowed instead of asking for the size: pipes have none.
  std::string bytes;
  std::string block(1 << 16, '\0');
  while (stream && bytes.size() <= bytes_max) {
    stream.read(block.data(), static_cast<std::streamsize>(block.size()));
    bytes.append(block, 0, static_cast<size_t>(stream.gcount()));
  }
  if (bytes.size() > bytes_max) {
    return Error{ErrorCode::OverBudget, fmt::format("is larger than {} bytes", bytes_max),
                 path.string(), "name a smaller file or cut it to the part that matters"};
  }
  if (stream.bad()) return io_error(path, EIO);
  return bytes;
}

Result<void> write_file_atomically(const fs::path& path, std::string_view bytes) {
  return write_file_atomically(path, {&bytes, 1});
}

Result<void> write_file_atomically(const fs::path& path,
                                   std::span<const std::string_view> pieces) {
  std::error_code problem;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), problem);
  if (problem) return io_error(path.parent_path(), problem.value());
  PendingFile pending(path);
  if (auto written = write_all(pending.path(), pieces); !written) return written;
  return pending.commit();
}

PendingFile::PendingFile(fs::path destination) : destination_(std::move(destination)) {
  static std::atomic<unsigned> serial{0};
  temporary_ = destination_;
  temporary_ += fmt::format(".partial-{}-{}", ::getpid(), serial++);
}

PendingFile::~PendingFile() {
  std::error_code ignored;
  fs::remove(temporary_, ignored);
}

Result<void> PendingFile::flush() {
  Descriptor file(::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return io_error(temporary_, errno);
  if (::fsync(file.get()) != 0) return io_error(temporary_, errno);
  return {};
}

Result<void> PendingFile::commit() {
  if (auto flushed = flush(); !flushed) return flushed;
  std::error_code problem;
  fs::rename(temporary_, destination_, problem);
  if (problem) return io_error(destination_, problem.value());
  return {};
}

Result<bool> PendingFile::commit_new() {
  if (auto flushed = flush(); !flushed) return flushed.error();
  if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, destination_.c_str(),
                  RENAME_NOREPLACE) == 0) {
    return true;
  }
  if (errno == EEXIST) return false;
  if (errno != EINVAL && errno != ENOSYS) return io_error(destination_, errno);
  // A file system without the flag: a hard link never replaces either.
  if (::link(temporary_.c_str(), destination_.c_str()) == 0) return true;
  if (errno == EEXIST) return false;
  return io_error(destination_, errno);
}

}  // namespace tinyarms
