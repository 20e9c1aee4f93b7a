// An HTTP/1.1 server over TCP, TLS and Unix sockets: a thread a core, every phase of every
// connection limited in bytes and in time, framing errors answered and the connection closed. What
// a request means is the Application's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace tinyarms::http {

// Called from the server's threads, several at once; none of it may block.
class Application {
 public:
  virtual ~Application() = default;

  // The head of a request is complete, its body not yet read. A reply refuses it: it is sent, and
  // the connection closed where a body would follow.
  virtual std::optional<Response> admit(Request& request) = 0;

  // A request that was admitted, whole.
  virtual void handle(const std::shared_ptr<Exchange>& exchange) = 0;

  // What a client is told of a request that is no HTTP, too large, too slow or too much.
  virtual Response refuse(int status, std::string_view why) = 0;
};

struct Limits {
  size_t head_bytes_max = 32 << 10;
  size_t body_bytes_max = 16 << 20;
  size_t connections_max = 8192;
  size_t unsent_bytes_max = 4 << 20;  // of one streamed reply, in memory because nobody reads it
  double head_seconds = 10;     // from its first byte (of a new connection: from accepting it)
  double body_seconds = 30;
  double write_seconds = 30;    // without any progress
  double idle_seconds = 75;     // between two requests
};

struct ServerOptions {
  std::string address = "127.0.0.1";  // numeric; empty: no TCP
  uint16_t port = 0;                  // 0: any that is free
  std::filesystem::path socket;       // a Unix socket (mode 0600); empty: none
  // A second one, for programs of this user alone: whoever else connects is hung up on.
  std::filesystem::path own_socket = {};
  std::filesystem::path tls_certificate;  // PEM; empty: plain HTTP
  std::filesystem::path tls_key;
  int threads = 0;  // 0: one a core
  Limits limits;
};

struct ServerCounts {
  uint64_t connections_open = 0;
  uint64_t connections_total = 0;
  uint64_t connections_refused = 0;
  uint64_t requests = 0;
  uint64_t malformed = 0;  // refused by the server itself
  uint64_t timeouts = 0;
  uint64_t gone = 0;       // clients that left before their reply was complete
};

bool is_loopback(const std::string& address);

class Server {
 public:
  // Listens when it returns. `application` outlives it. Errors: InvalidArgument (an address that
  // is none), Io (the port is taken, the socket's folder cannot be written), Config (certificate).
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options,
                                               Application& application);
  virtual ~Server() = default;  // stops at once

  virtual uint16_t port() const = 0;  // 0 where there is no TCP
  virtual ServerCounts counts() const = 0;

  // Reads certificate and key again; what is wrong leaves the old ones in force.
  virtual Result<void> reload_tls() = 0;

  // Takes no new connections, closes the idle ones, lets what is under way finish for at most
  // `seconds`, then raises the flags of what is left and closes. Blocks.
  virtual void drain(double seconds) = 0;
};

}  // namespace tinyarms::http
