// What only programs of the user who runs the server may ask of it, over the socket kept for them:
// whole climbs with every event (for `tinyarms ask` and `chat`), what it is, and that it ends.
#pragma once

#include <functional>
#include <memory>

#include "door/routes.h"
#include "service/footing.h"

namespace tinyarms::door {

// All of it outlives the routes. Thread-safe functions that do not block.
struct OwnDesk {
  Kitchen kitchen;
  std::function<std::shared_ptr<const service::Footing>()> footing;  // of the settings in force
  std::function<openai::OrderedJson()> facts;
  std::function<void()> stop;  // begins to drain
};

void add_own_routes(Door& door, const OwnDesk& desk);

}  // namespace tinyarms::door
