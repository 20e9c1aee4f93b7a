// What the server hands to an application and gets back: a request read whole, a reply, and the
// Exchange that joins the two. Nothing here knows of sockets.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/stop_flag.h"

namespace tinyarms::http {

struct Header {
  std::string name;  // of requests: lower case
  std::string value;
};

struct Request {
  std::string method;   // "POST"
  std::string path;     // the target up to '?', as it was sent: no escape is undone
  std::string query;    // what follows it
  std::vector<Header> headers;
  std::string body;
  std::string peer;     // "127.0.0.1:54321", or "unix"
  bool local_socket = false;  // came over a Unix socket: no browser can do that
  // Over the socket kept for this user's own programs, from a process that the kernel says is one.
  bool own_user = false;
  bool encrypted = false;
  // Filled in by Application::admit for its own use: who asks.
  std::shared_ptr<const void> caller;

  // The value of the first header of that (lower-case) name, or nothing.
  std::optional<std::string_view> header(std::string_view name) const;
  size_t count(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<Header> headers = {};  // further ones; the server writes length, date, connection
};

std::string_view status_text(int status);

// One request under way. Exactly one of `send`, or `begin`, any `write`s and `end`, from any
// thread, now or later; an Exchange let go without either is answered with 500 by the server.
class Exchange {
 public:
  virtual ~Exchange() = default;

  const Request& request() const { return request_; }
  Request& request() { return request_; }

  virtual void send(Response response) = 0;

  // A reply in pieces (server-sent events). `response.body` is the first of them.
  virtual void begin(Response response) = 0;
  // False where the client has gone or reads too slowly: no further piece will reach it.
  virtual bool write(std::string piece) = 0;
  virtual void end() = 0;

  // Raised when the client has gone: what works for it should stop.
  const StopFlag& gone() const { return *gone_; }
  std::shared_ptr<const StopFlag> shared_gone() const { return gone_; }
  // For an application that learns elsewhere that nobody waits: it may raise the flag itself. The
  // reply still has to be ended.
  std::shared_ptr<StopFlag> stop_flag() const { return gone_; }

 protected:
  Request request_;
  std::shared_ptr<StopFlag> gone_ = std::make_shared<StopFlag>();
};

}  // namespace tinyarms::http
