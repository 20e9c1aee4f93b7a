// MCP as a whole: the tools over one kitchen, for HTTP and for standard input alike. Must be made
// after what the kitchen holds and go after it too: calls under way still point here. `close` ends
// what runs on its own threads and comes before the kitchen goes.
#pragma once

#include <memory>
#include <string>

#include "door/door.h"
#include "mcp/dispatcher.h"
#include "mcp/sessions.h"
#include "mcp/workshop.h"

namespace tinyarms::mcp {

class Service {
 public:
  Service(const door::Kitchen& kitchen, const Paths& paths, Roots roots,
          const std::string& version);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  Dispatcher& dispatcher() { return dispatcher_; }

  // POST and DELETE /mcp (Streamable HTTP).
  void add_routes(door::Door& door);

  void close();

 private:
  Workshop shop_;
  std::unique_ptr<Errands> errands_;
  Dispatcher dispatcher_;
  Sessions sessions_;
};

}  // namespace tinyarms::mcp
