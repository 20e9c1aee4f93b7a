#include "base/file_lock.h"

#include <sys/file.h>

#include <cerrno>
#include <thread>

namespace tinyarms {

bool lock_file(int descriptor, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kPoll(10);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK || std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

}  // namespace tinyarms
