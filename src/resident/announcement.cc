#include "resident/announcement.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file_lock.h"
#include "base/sha256.h"

namespace tinyarms::resident {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNameDigits = 16;
// Shorter than kLockPatience: a second server goes on without its name.
constexpr std::chrono::milliseconds kClaimPatience(500);

int open_lock(const Place& place, int more) {
  return ::openat(place.folder.descriptor(), (place.name + ".lock").c_str(),
                  O_RDWR | O_NOFOLLOW | O_CLOEXEC | more, 0600);
}

}  // namespace

fs::path runtime_folder(const Environment& environment, const Paths& paths) {
  const auto given = environment("XDG_RUNTIME_DIR");
  if (given && fs::path(*given).is_absolute()) return fs::path(*given) / "tinyarms";
  return paths.cache_dir / "run";
}

Result<OwnFolder> OwnFolder::open(const fs::path& path, bool make) {
  if (make) {
    std::error_code ignored;  // opening it says what is wrong
    fs::create_directories(path.parent_path(), ignored);
    ::mkdir(path.c_str(), 0700);
  }
  auto folder = std::make_shared<Descriptor>(
      ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const int problem = errno;
  if (folder->get() < 0) {
    if (problem == ENOENT) {
      return Error{ErrorCode::NotFound, "there is no such folder", path.string(), ""};
    }
    const bool odd = problem == ELOOP || problem == ENOTDIR;
    return Error{odd ? ErrorCode::Config : ErrorCode::Io,
                 odd ? "is a link, or no folder" : std::strerror(problem), path.string(),
                 "running servers are announced there: make it a folder of your own, mode 0700"};
  }
  struct stat facts {};
  if (::fstat(folder->get(), &facts) != 0) {
    return Error{ErrorCode::Io, std::strerror(errno), path.string(), ""};
  }
  if (facts.st_uid != ::geteuid()) {
    return Error{ErrorCode::Config, "belongs to another user", path.string(),
                 "running servers are announced there: remove it, or set XDG_RUNTIME_DIR"};
  }
  if ((facts.st_mode & 077) != 0) {
    return Error{ErrorCode::Config, "is open to other users", path.string(),
                 "running servers are announced there: chmod 700 it"};
  }
  return OwnFolder(std::move(folder));
}

fs::path OwnFolder::inside(const std::string& name) const {
  return fmt::format("/proc/self/fd/{}/{}", folder_->get(), name);
}

Result<Place> find_place(const Environment& environment, const Paths& paths, bool make) {
  auto folder = OwnFolder::open(runtime_folder(environment, paths), make);
  if (!folder) return folder.error();
  const std::string home = fmt::format("{}\n{}\n{}", paths.config_file.string(),
                                       paths.cache_dir.string(), paths.data_dir.string());
  return Place{std::move(*folder), "server-" + sha256_hex(home).substr(0, kNameDigits)};
}

Result<std::unique_ptr<Announcement>> Announcement::claim(const Environment& environment,
                                                          const Paths& paths) {
  auto place = find_place(environment, paths, true);
  if (!place) return place.error();
  const int lock = open_lock(*place, O_CREAT);
  if (lock < 0) {
    return Error{ErrorCode::Io, std::strerror(errno), runtime_folder(environment, paths).string(),
                 "running servers are announced there"};
  }
  std::unique_ptr<Announcement> claimed(new Announcement(std::move(*place), lock));
  // Who looks whether a server is there holds it for a moment too (is_held).
  if (!lock_file(lock, kClaimPatience)) {
    return Error{ErrorCode::Unavailable, "another server of yours is announced already",
                 runtime_folder(environment, paths).string(),
                 "tinyarms serve --status shows it, --stop ends it"};
  }
  return claimed;
}

bool is_held(const Place& place, bool& removed) {
  removed = false;
  const Descriptor lock(open_lock(place, 0));
  if (lock.get() < 0) return false;
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return true;
  // Under the lock: no server that is just starting loses its own.
  removed = ::unlinkat(place.folder.descriptor(), (place.name + ".socket").c_str(), 0) == 0;
  return false;
}

}  // namespace tinyarms::resident
