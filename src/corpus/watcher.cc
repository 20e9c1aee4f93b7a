#include "corpus/watcher.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tinyarms::corpus {
namespace {

constexpr int kQuietMs = 300;    // without changes: the burst is over
constexpr int kLookMs = 100;     // between two looks at the stop flag
constexpr int kBurstMaxMs = 5000;  // a burst that does not end is served now and then

constexpr uint32_t kChanges = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                              IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB;

Error io_error(const char* what) {
  return Error{ErrorCode::Io, fmt::format("{}: {}", what, std::strerror(errno)), "inotify",
               "tinyarms index update works without it"};
}

}  // namespace

Result<std::unique_ptr<Watcher>> Watcher::create() {
  const int descriptor = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (descriptor < 0) return io_error("folders cannot be watched");
  return std::unique_ptr<Watcher>(new Watcher(descriptor));
}

Result<bool> Watcher::watch(const std::string& path) {
  if (watched_.count(path) > 0) return false;
  const int number = ::inotify_add_watch(descriptor_.get(), path.c_str(), kChanges);
  if (number >= 0) {
    watched_[path] = number;
    return true;
  }
  if (errno == ENOENT || errno == EACCES) return false;
  if (errno == ENOSPC) {
    return Error{ErrorCode::OverBudget,
                 fmt::format("the system lets no more than {} folders be watched",
                             watched_.size()),
                 path, "raise it: sysctl fs.inotify.max_user_watches=524288"};
  }
  return io_error("a folder cannot be watched");
}

// True where something changed. What was dropped from the watch list is forgotten.
Result<bool> Watcher::read_events() {
  alignas(inotify_event) std::array<char, 16 << 10> buffer;
  bool changed = false;
  while (true) {
    const ssize_t bytes = ::read(descriptor_.get(), buffer.data(), buffer.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0 && errno == EAGAIN) return changed;
    if (bytes <= 0) return io_error("changes cannot be read");
    for (ssize_t at = 0; at < bytes;) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      at += static_cast<ssize_t>(sizeof event + event.len);
      if ((event.mask & IN_IGNORED) != 0) {
        std::erase_if(watched_, [&](const auto& each) { return each.second == event.wd; });
      }
      changed = true;
    }
  }
}

Result<void> Watcher::wait(const StopFlag& stop) {
  int quiet = -1;  // milliseconds since the last change; negative: none yet
  int burst = 0;
  while (!stop.raised()) {
    pollfd ready{.fd = descriptor_.get(), .events = POLLIN, .revents = 0};
    const int count = ::poll(&ready, 1, kLookMs);
    if (count < 0 && errno != EINTR) return io_error("changes cannot be waited for");
    if (count > 0) {
      auto changed = read_events();
      if (!changed) return changed.error();
      if (*changed) quiet = 0;
      burst += kLookMs;
    } else if (quiet >= 0) {
      quiet += kLookMs;
      burst += kLookMs;
    }
    if (quiet >= kQuietMs || (quiet >= 0 && burst >= kBurstMaxMs)) return {};
  }
  return {};
}

}  // namespace tinyarms::corpus
