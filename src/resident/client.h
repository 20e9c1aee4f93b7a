// Asks the server that this user runs, where there is one and it would answer as this process
// would. One question at a time.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/paths.h"
#include "base/result.h"
#include "base/stop_flag.h"
#include "cascade/cascade.h"
#include "service/footing.h"

namespace tinyarms::resident {

struct Served {
  cascade::Reply reply;
  std::vector<std::string> notices;  // of the server's set-up
};

class Client {
 public:
  // Both outlive it.
  Client(const Environment& environment, const Paths& paths)
      : environment_(environment), paths_(paths) {}

  struct Asking {
    const StopFlag& stop;  // raised: the server stops within a token, and sends what there is
    cascade::Listener& listener;
    // Once a second has passed in which it was busy with others; false: that is over.
    std::function<void(bool)> queued = {};
  };

  // Errors: NotFound (no server is announced: nothing to tell anybody), Interrupted (stopped, and
  // nothing came any more), Unsupported (it would answer on another footing, or is of another
  // build), Unavailable (it has gone, does not answer or is at its limit), and others where it
  // cannot be talked to. `what` of each is a sentence for the user.
  Result<Served> ask(const cascade::Request& request, const std::string& folder,
                     const service::Footing& footing, const Asking& asking) const;

  // What it says of itself: "pid", "url", "socket", "version", "log", "waiting", "running", …
  // Errors: NotFound, Unavailable, …
  Result<nlohmann::ordered_json> facts() const;

  // Asks it to end and waits until it has, `go_on` deciding every 50 ms whether to wait on. False
  // where it was not waited for. Errors: as above.
  Result<bool> stop_server(const std::function<bool()>& go_on) const;

 private:
  const Environment& environment_;
  const Paths& paths_;
};

}  // namespace tinyarms::resident
