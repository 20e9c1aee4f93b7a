// A large file in several parts at once, kept on disk as it comes, so that what was interrupted, by
// a signal, a power cut or the server, is gone on with and never fetched twice.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"
#include "base/stop_flag.h"
#include "remote/web_session.h"

namespace tinyarms::remote {

// What the server has there now.
struct FileVersion {
  uint64_t bytes = 0;
  std::string etag{};    // of this address alone; empty where there is none
  std::string sha256{};  // as it was said, here or by the hub; empty: by nobody
};

struct RangeDownload {
  std::string url;
  std::filesystem::path part;  // grows; `<part>.json` beside it says which pieces are there
  uint64_t bytes = 0;          // as was said elsewhere; 0: not known
  std::string sha256{};        // likewise; empty: not known
  uint64_t bytes_max = 0;
  int connections = 4;
  ApiKey token{};
  int tries = 6;  // in a row, all connections of one together, without a byte
  // Asked once, before anything is written; false: nothing is fetched then.
  std::function<bool(const FileVersion&)> wanted{};
};

struct RangeReport {
  FileVersion version{};  // its hash is not checked here
  uint64_t fetched = 0;   // by this call
};

// (bytes that are there, bytes in all)
using RangeProgress = std::function<void(uint64_t, uint64_t)>;

// Returns when all bytes are in `part`, or are not wanted. A server without ranges is read from
// front to back, and anew after an interruption. Errors: those of WebSession; Config, NotFound,
// Unavailable as status_error() (429 and 5xx after some tries, a file that changed meanwhile,
// another process that fetches it); Corrupt (a server whose sizes contradict each other);
// OverBudget (larger than `bytes_max`); Io (with the bytes needed and free); Interrupted.
Result<RangeReport> download_ranges(WebSession& session, const RangeDownload& file,
                                    const StopFlag& stop, const RangeProgress& progress);

// Throws away what came of it.
void discard_download(const std::filesystem::path& part);

}  // namespace tinyarms::remote
