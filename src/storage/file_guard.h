// What happens to a database file from outside SQLite: opened by one process at a time, recognised
// again, set aside with its companions.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tinyarms::storage {

// Which file a path stood for when it was asked.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};
std::optional<FileIdentity> identify(const std::filesystem::path& path);

// An advisory lock on `<path>.lock`, held for the milliseconds of an opening, so that two processes
// do not both create, migrate or set aside. The kernel drops it with the process.
class OpeningLock {
 public:
  // Errors: Io, Unavailable (held by another for longer than `patience`).
  static Result<OpeningLock> take(const std::filesystem::path& path,
                                  std::chrono::milliseconds patience);
  ~OpeningLock();
  OpeningLock(OpeningLock&& other) noexcept;
  OpeningLock(const OpeningLock&) = delete;
  OpeningLock& operator=(const OpeningLock&) = delete;
  OpeningLock& operator=(OpeningLock&&) = delete;

 private:
  explicit OpeningLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// Makes the parent folders and, where nothing is there, an empty file of mode 0600 (SQLite gives
// its -wal and -shm the same). Errors: Io; also for a folder, a device or a pipe at `path`.
Result<void> provide_file(const std::filesystem::path& path);

// Renames the file, its -wal and its -shm to `<path>.<kind>-<UTC time>`, with a number behind it
// where that is taken; returns the new name. Errors: Io.
Result<std::filesystem::path> set_aside(const std::filesystem::path& path, std::string_view kind,
                                        double wall_seconds);

}  // namespace tinyarms::storage
