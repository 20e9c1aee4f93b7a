// Files and a folder that one user alone may touch, and what a folder of files that appear whole is
// left with by processes that were killed.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace tinyarms::engine {

Error file_failure(ErrorCode code, const std::filesystem::path& path, int number);

// This user's, and nobody else may read or write it.
bool is_private(const struct stat& facts);

// Makes it with mode 0700. Errors: Io; Config (it is not this user's alone).
Result<void> provide_folder(const std::filesystem::path& folder);

// A descriptor, negative where it cannot be opened; follows no link and waits for no pipe.
int open_to_read(const std::filesystem::path& path);
// Errors: NotFound, Io (also where it is no plain file, or not private).
Result<struct stat> check_file(const Descriptor& file, const std::filesystem::path& path);
// Errors: Io, Corrupt (it ends before).
Result<void> read_exactly(const Descriptor& file, char* to, size_t count,
                          const std::filesystem::path& path);

// The 32 random bytes in that file, which is made where it is not there. Errors: Io, Config.
Result<std::string> provide_key(const std::filesystem::path& path);

// Removes files under construction (base/file.h) whose process is gone.
void sweep_half_written(const std::filesystem::path& folder);

}  // namespace tinyarms::engine
