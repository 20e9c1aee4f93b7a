// One call and its reply as it comes in, over libcurl. A POST follows no redirect; nothing sends a
// cookie or reads .netrc; certificates are always checked.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"

namespace tinyarms::remote {

class HttpConnections;

struct HttpCall {
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  bool direct = false;  // past any proxy that the environment names: nobody else may see it
};

// A GET carries nothing but its address, so it may follow a few redirects, from https only to
// https.
struct HttpFetch {
  std::string url;
  size_t offset = 0;  // of the first byte that is wanted
  bool follow_redirects = true;
};

struct HttpLimits {
  double connect_seconds = 10;
  double idle_seconds = 120;  // without a byte coming in; a long prompt is silent for long
  double total_seconds = std::numeric_limits<double>::infinity();
  size_t bytes_max = 64 << 20;
};

struct HttpReply {
  int status = 0;            // 200
  std::string content_type;  // "text/event-stream; charset=utf-8"
  double retry_after_seconds = 0;  // as the server asks, 0 where it does not
};

// Told of the status once, then of the body piece by piece; false ends the call, and no further
// piece is told.
struct HttpSink {
  std::function<void(const HttpReply&)> on_reply;
  std::function<bool(std::string_view)> on_bytes;
};

// Returns when the reply is whole, or the sink has had enough. Errors: Unavailable (cannot be
// reached, broke off, silent for too long), OverBudget (more than bytes_max), Interrupted (`stop`,
// looked at 20 times a second), Unsupported (no libcurl). Their `where` is host and port.
// `connections` (may be null) keeps the connection for the next call.
Result<HttpReply> post(const HttpCall& call, const HttpLimits& limits, const StopFlag& stop,
                       const HttpSink& sink, HttpConnections* connections = nullptr);

// The same for a GET. Unsupported also where the server cannot begin at `offset`; nothing has
// reached the sink then.
Result<HttpReply> get(const HttpFetch& fetch, const HttpLimits& limits, const StopFlag& stop,
                      const HttpSink& sink);

}  // namespace tinyarms::remote
