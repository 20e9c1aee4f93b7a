#include "resident/notify.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <cstddef>
#include <cstring>

#include "base/descriptor.h"

namespace tinyarms::resident {

void notify(const Environment& environment, std::string_view state) {
  const auto where = environment("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool named = where && where->size() > 1 && where->size() < sizeof address.sun_path;
  if (!named || ((*where)[0] != '/' && (*where)[0] != '@')) return;
  std::memcpy(address.sun_path, where->data(), where->size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // no file, but a name
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + where->size());
  // Where nobody receives it, the server serves all the same.
  (void)::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address), size);
}

void notify_reloading(const Environment& environment) {
  struct timespec now {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  notify(environment, fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                                  static_cast<int64_t>(now.tv_sec) * 1'000'000 +
                                      now.tv_nsec / 1000));
}

}  // namespace tinyarms::resident
