// Tells a service manager how the server is: systemd's sd_notify, over $NOTIFY_SOCKET.
#pragma once

#include <string_view>

#include "base/paths.h"

namespace tinyarms::resident {

// Nothing happens where nobody wants to know. `state`: "READY=1", "STOPPING=1", …
void notify(const Environment& environment, std::string_view state);

// "RELOADING=1" with the time at which it began; "READY=1" ends it.
void notify_reloading(const Environment& environment);

}  // namespace tinyarms::resident
