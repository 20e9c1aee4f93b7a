#define CURL_DISABLE_TYPECHECK
#include "remote/download.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "remote/curl_library.h"

namespace tinyarms::remote {
namespace {

constexpr int kOk = 200;
constexpr int kPartial = 206;

Error disk_error(const std::filesystem::path& path, const char* what) {
  return Error{ErrorCode::Io, fmt::format("{}: {}", what, std::strerror(errno)), path.string(),
               "free some space or choose another folder, then try again"};
}

// The growing file: a descriptor that closes itself.
class Part {
 public:
  explicit Part(std::filesystem::path path) : path_(std::move(path)) {}
  ~Part() {
    if (file_ >= 0) ::close(file_);
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  Result<uint64_t> open() {
    std::error_code ignored;
    std::filesystem::create_directories(path_.parent_path(), ignored);
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    struct stat facts {};
    if (file_ < 0 || ::fstat(file_, &facts) != 0) return disk_error(path_, "cannot be written");
    return static_cast<uint64_t>(facts.st_size);
  }
  Result<void> empty() {
    if (::ftruncate(file_, 0) != 0) return disk_error(path_, "cannot be emptied");
    return {};
  }
  Result<void> append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return disk_error(path_, "cannot be written");
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
  }

 private:
  std::filesystem::path path_;
  int file_ = -1;
};

Error refused(int status, const std::string& url) {
  const bool absent = status == 404 || status == 410;
  return Error{absent ? ErrorCode::NotFound : ErrorCode::Unavailable,
               fmt::format("the server answered {}", status), url,
               absent ? "the file is no longer there: name a mirror" : "try again later"};
}

class Fetch {
 public:
  Fetch(const Download& file, Part& part, const DownloadProgress& progress)
      : file_(file), part_(part), progress_(progress) {}

  Result<void> run(uint64_t have, HttpLimits limits, const StopFlag& stop) {
    have_ = have;
    limits.bytes_max = file_.bytes - have;
    auto reply = get({.url = file_.url, .offset = have}, limits, stop,
                     {.on_reply = [this](const HttpReply& begun) { status_ = begun.status; },
                      .on_bytes = [this](std::string_view bytes) { return take(bytes); }});
    if (failure_) return *failure_;
    if (status_ != 0 && !sends_file()) return refused(status_, file_.url);
    if (!reply) return reply.error();
    if (have_ < file_.bytes) {
      return Error{ErrorCode::Unavailable,
                   fmt::format("the file ends after {} of {} bytes", have_, file_.bytes),
                   file_.url, "try again, or name a mirror of the pinned data"};
    }
    return {};
  }

 private:
  bool sends_file() const { return status_ == kOk || status_ == kPartial; }

  bool take(std::string_view bytes) {
    if (!sends_file()) return false;
    if (auto written = part_.append(bytes); !written) {
      failure_ = written.error();
      return false;
    }
    have_ += bytes.size();
    if (progress_) progress_(have_);
    return true;
  }

  const Download& file_;
  Part& part_;
  const DownloadProgress& progress_;
  uint64_t have_ = 0;
  int status_ = 0;
  std::optional<Error> failure_;
};

}  // namespace

Result<void> download(const Download& file, const HttpLimits& limits, const StopFlag& stop,
                      const DownloadProgress& progress) {
  if (file.url.rfind("https://", 0) != 0 && file.url.rfind("http://", 0) != 0) {
    return Error{ErrorCode::Unsupported, "is no web address", file.url, "use https or http"};
  }
  if (auto library = curl_library(); !library) return library.error();
  Part part(file.part);
  auto have = part.open();
  if (!have) return have.error();
  if (*have > file.bytes) {
    if (auto emptied = part.empty(); !emptied) return emptied;
    have = uint64_t{0};
  }
  if (*have == file.bytes) return {};
  auto done = Fetch(file, part, progress).run(*have, limits, stop);
  if (done || *have == 0 || done.error().code != ErrorCode::Unsupported) return done;
  // A server that cannot begin in the middle begins again.
  if (auto emptied = part.empty(); !emptied) return emptied;
  return Fetch(file, part, progress).run(0, limits, stop);
}

}  // namespace tinyarms::remote
