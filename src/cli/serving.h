// Everything of `tinyarms serve` that serves, composed: routes, climbs, keys, the listening server.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/context.h"
#include "door/door.h"
#include "mcp/roots.h"
#include "resident/announcement.h"

namespace tinyarms::cli {

struct ServeOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8421;
  std::string socket;
  std::string keys;  // a file; empty: the usual place
  std::string tls_cert;
  std::string tls_key;
  std::vector<std::string> allow_hosts;
  std::vector<std::string> allow_origins;
  std::vector<std::string> roots;  // of what /mcp may read
  int workers = 1;
  int io_threads = 0;
  size_t queue = 64;
  size_t max_connections = 8192;
  size_t max_body_mb = 16;
  double drain_seconds = 30;
  bool announce = true;
  bool detach = false;
  bool status = false;
  bool stop = false;
  bool json = false;
};

// What stands against serving so. Errors: InvalidArgument.
Result<void> check_serving(const ServeOptions& options, const door::KeyRing& keys);
// The keys of --keys, else of the usual place. Errors: those of KeyRing::load.
Result<door::KeyRing> load_keys(const ServeOptions& options, const Context& context);

// All of what it is given outlives it. One thread.
class Serving {
 public:
  Serving(const ServeOptions& options, Context& context, const service::LoadedConfig& config,
          door::KeyRing keys, mcp::Roots roots);
  ~Serving();

  // Listens when it returns; `announcement` (null: none) on the socket of this user's programs too.
  Result<void> start(std::unique_ptr<resident::Announcement> announcement);

  // Configuration, keys and certificate again: all of it, or nothing where any part is wrong.
  Result<void> reload();

  // Finishes what is under way. Blocks.
  void drain();

  // "url", "port", "socket", "version", …; `url` is empty without TCP. Any thread, once started.
  nlohmann::ordered_json facts() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tinyarms::cli
