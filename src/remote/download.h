// Files over http and https, whose size is known before: what an interrupted call left is gone on
// with, and no server can send more than is wanted. Whether they are the right bytes is the
// caller's to check.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"
#include "base/stop_flag.h"
#include "remote/http.h"

namespace tinyarms::remote {

struct Download {
  std::string url;             // http or https
  std::filesystem::path part;  // grows; its folder is made
  uint64_t bytes = 0;          // of the whole file
};

// Told of the bytes that are there so far.
using DownloadProgress = std::function<void(uint64_t)>;

// Returns when `part` has all bytes. On an error what came stays in `part` for the next call.
// Errors: Unsupported (no web address, no libcurl), NotFound (status 404 or 410), Unavailable
// (another status, broken off, silent), OverBudget (longer than `bytes`), Io, Interrupted.
Result<void> download(const Download& file, const HttpLimits& limits, const StopFlag& stop,
                      const DownloadProgress& progress);

}  // namespace tinyarms::remote
