#include "engine/snapshots/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/file.h"

namespace tinyarms::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPartial = ".partial-";
constexpr size_t kKeyBytes = 32;

bool process_lives(std::string_view digits) {
  pid_t pid = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), pid);
  return pid > 0 && (::kill(pid, 0) == 0 || errno == EPERM);
}

}  // namespace

Error file_failure(ErrorCode code, const fs::path& path, int number) {
  return Error{code, std::strerror(number), path.string(), "check its permissions and the disk"};
}

bool is_private(const struct stat& facts) {
  return facts.st_uid == ::geteuid() && (facts.st_mode & 077) == 0;
}

Result<void> provide_folder(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder.parent_path(), problem);
  if (problem) return file_failure(ErrorCode::Io, folder.parent_path(), problem.value());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return file_failure(ErrorCode::Io, folder, errno);
  }
  struct stat facts {};
  if (::lstat(folder.c_str(), &facts) != 0) return file_failure(ErrorCode::Io, folder, errno);
  if (S_ISDIR(facts.st_mode) && is_private(facts)) return {};
  return Error{ErrorCode::Config, "is no folder that this user alone may enter", folder.string(),
               fmt::format("chmod 700 {}", folder.string())};
}

// Opened for reading, a plain file of this user that nobody else may touch.
Result<struct stat> check_file(const Descriptor& file, const fs::path& path) {
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0) {
    const auto code = errno == ENOENT ? ErrorCode::NotFound : ErrorCode::Io;
    return file_failure(code, path, errno);
  }
  if (S_ISREG(facts.st_mode) && is_private(facts)) return facts;
  return Error{ErrorCode::Io, "is no plain file that this user alone may read", path.string(), ""};
}

int open_to_read(const fs::path& path) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

Result<void> read_exactly(const Descriptor& file, char* to, size_t count, const fs::path& path) {
  while (count > 0) {
    const ssize_t got = ::read(file.get(), to, count);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_failure(ErrorCode::Io, path, errno);
    if (got == 0) return Error{ErrorCode::Corrupt, "ends too early", path.string(), ""};
    to += got;
    count -= static_cast<size_t>(got);
  }
  return {};
}

Result<std::string> provide_key(const fs::path& path) {
  {
    const Descriptor file(open_to_read(path));
    auto facts = check_file(file, path);
    if (facts) {
      std::string key(kKeyBytes, '\0');
      if (auto done = read_exactly(file, key.data(), key.size(), path); !done) {
        return Error{ErrorCode::Config, "is no key", path.string(),
                     "delete it: another is made, and the snapshots of before are not used"};
      }
      return key;
    }
    if (facts.error().code != ErrorCode::NotFound) return facts.error();
  }
  std::string key(kKeyBytes, '\0');
  if (::getentropy(key.data(), key.size()) != 0) {
    return file_failure(ErrorCode::Io, path, errno);
  }
  PendingFile pending(path);
  if (auto written = write_file_atomically(pending.path(), key); !written) return written.error();
  auto placed = pending.commit_new();
  if (!placed) return placed.error();
  return *placed ? key : provide_key(path);  // another process was quicker
}

void sweep_half_written(const fs::path& folder) {
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(folder, problem)) {
    const std::string name = entry.path().filename().string();
    const size_t at = name.find(kPartial);
    if (at == std::string::npos || process_lives(name.substr(at + kPartial.size()))) continue;
    std::error_code ignored;
    fs::remove(entry.path(), ignored);
  }
}

}  // namespace tinyarms::engine
