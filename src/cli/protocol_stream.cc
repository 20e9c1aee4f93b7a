#include "cli/protocol_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace tinyarms::cli {

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

int take_standard_output() {
  const int own = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (own >= 0) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  return own;
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace tinyarms::cli
