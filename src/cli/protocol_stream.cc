#include "cli/protocol_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace tinyarms::cli {
namespace {

constexpr int kLookEveryMs = 50;  // whether a signal came meanwhile

bool signal_waits() {
  sigset_t waiting;
  sigemptyset(&waiting);
  ::sigpending(&waiting);
  return sigismember(&waiting, SIGINT) == 1 || sigismember(&waiting, SIGTERM) == 1;
}

}  // namespace

SignalsWhileWaiting::SignalsWhileWaiting() {
  sigset_t set;
  sigemptyset(&set);
  for (const int one : {SIGINT, SIGTERM}) sigaddset(&set, one);
  ::pthread_sigmask(SIG_BLOCK, &set, &before_);
}

SignalsWhileWaiting::~SignalsWhileWaiting() { let_through(); }

bool SignalsWhileWaiting::wait(int descriptor) const {
  struct pollfd one {descriptor, POLLIN, 0};
  return ::ppoll(&one, 1, nullptr, &before_) > 0;
}

void SignalsWhileWaiting::let_through() const {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool SignalsWhileWaiting::write_all(int descriptor, std::string_view bytes,
                                    const StopFlag& stop) const {
  while (!bytes.empty()) {
    struct pollfd one {descriptor, POLLOUT, 0};
    const int ready = ::poll(&one, 1, kLookEveryMs);
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) {
      if (stop.raised() || signal_waits()) return false;
      continue;
    }
    // No more than what a pipe with room takes without waiting for its reader.
    const ssize_t written =
        ::write(descriptor, bytes.data(), std::min<size_t>(bytes.size(), PIPE_BUF));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

int take_standard_output() {
  const int own = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (own >= 0) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  return own;
}

}  // namespace tinyarms::cli
