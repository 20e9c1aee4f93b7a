// Copying a file of gigabytes: by sharing its blocks where the file system can, else in the
// kernel, else byte by byte.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace tinyarms::catalog {

struct CopyPaths {
  std::filesystem::path source;
  std::filesystem::path destination;  // must not exist
};

// Errors: NotFound (the source), Io (with the bytes needed and free where the disk is too small;
// nothing was written then). A failure later leaves part of the destination: the caller's to
// remove.
Result<void> copy_file(const CopyPaths& paths);

// Removes what killed processes left of unfinished copies in `folder` (PendingFile's names).
void sweep_unfinished(const std::filesystem::path& folder);

}  // namespace tinyarms::catalog
